"""Domain names: labels, their wire form and their text (RFC 1035 sections 3.1 and 5.1).

    wire = { length(1..63) label } 0          at most 255 octets
    text = labels joined by "."; "\\." is a dot inside a label, "\\DDD" an octet in decimal

A name is a tuple of labels without the root's empty one, in the case in which it was written. Names compare by `lower`
(RFC 4343). Refused are empty labels, labels over 63 octets and names over 255.
"""

Name = tuple[bytes, ...]

ROOT: Name = ()
MAX_LABEL = 63
MAX_NAME = 255

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*/+=@")


class BadName(ValueError):
    """Not a domain name; the message says why."""


def parse_name(text: str, origin: Name = ROOT) -> Name:
    """A name from its text, below `origin` when it does not end in a dot; "@" is the origin itself."""
    if text == "@":
        return origin
    if text == ".":
        return ROOT
    labels = _split(text)
    absolute = labels[-1] == b""
    if absolute:
        labels.pop()
    for label in labels:
        if not 1 <= len(label) <= MAX_LABEL:
            raise BadName(f"{text!r}: a label has 1 to {MAX_LABEL} octets, got {len(label)}")
    name = (*labels, *(ROOT if absolute else origin))
    if wire_length(name) > MAX_NAME:
        raise BadName(f"{text!r}: a name has at most {MAX_NAME} octets, got {wire_length(name)}")
    return name


def _split(text: str) -> list[bytes]:
    """The labels, escapes undone; an empty last one stands for the dot at the end."""
    labels, label, at = [], bytearray(), 0
    while at < len(text):
        if text[at] == ".":
            labels.append(bytes(label))
            label.clear()
            at += 1
        else:
            octets, at = unescape(text, at)
            label += octets
    return [*labels, bytes(label)]


def unescape(text: str, at: int) -> tuple[bytes, int]:
    """The octets of one character or escape of a master file, and where the next one begins."""
    if text[at] != "\\":
        return text[at].encode("utf-8", "surrogateescape"), at + 1
    digits = text[at + 1 : at + 4]
    if len(digits) == 3 and digits.isascii() and digits.isdigit():
        if int(digits) > 255:
            raise BadName(f"{text!r}: expected \\000 to \\255, got \\{digits}")
        return bytes([int(digits)]), at + 4
    if at + 1 == len(text) or digits[:1].isdigit():
        raise BadName(f"{text!r}: expected a character or three digits after the backslash")
    return text[at + 1].encode("utf-8", "surrogateescape"), at + 2


def octets(text: str) -> bytes:
    """The octets of a string of a master file, all escapes undone."""
    found, at = b"", 0
    while at < len(text):
        piece, at = unescape(text, at)
        found += piece
    return found


def encode_name(name: Name) -> bytes:
    """The name without compression."""
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def decode_name(data: bytes, at: int) -> tuple[Name, int]:
    """An uncompressed name at an offset, and what follows it. `BadName` when it is cut, too long or compressed."""
    labels: list[bytes] = []
    start = at
    while True:
        if at >= len(data):
            raise BadName("the data ends inside a name")
        size = data[at]
        at += 1
        if size == 0:
            return tuple(labels), at
        if size > MAX_LABEL or at + size > len(data) or at + size - start >= MAX_NAME:
            raise BadName("a label is compressed, too long or cut")
        labels.append(data[at : at + size])
        at += size


def name_text(name: Name) -> str:
    """The name with a dot at its end; what is not plain is escaped."""
    return ".".join([*(_label_text(label) for label in name), ""]) or "."


def _label_text(label: bytes) -> str:
    return "".join(chr(octet) if octet in _PLAIN else _escaped(octet) for octet in label)


def _escaped(octet: int) -> str:
    return f"\\{chr(octet)}" if 0x21 <= octet <= 0x7E else f"\\{octet:03}"


def lower(name: Name) -> Name:
    """The name as names compare."""
    return tuple(label.lower() for label in name)


def wire_length(name: Name) -> int:
    """How many octets the name takes without compression."""
    return sum(map(len, name)) + len(name) + 1


def below(name: Name, parent: Name) -> bool:
    """Whether `name` is `parent` or below it; both as names compare."""
    return len(name) >= len(parent) and name[len(name) - len(parent) :] == parent

"""The numbers of DNS by their names: record types, classes, response codes, operations.

Types that are not here are written TYPE123 (RFC 3597 section 5).
"""

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "KX": 36,
    "CERT": 37,
    "DNAME": 39,
    "OPT": 41,
    "DS": 43,
    "SSHFP": 44,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "SMIMEA": 53,
    "CDS": 59,
    "CDNSKEY": 60,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "IXFR": 251,
    "AXFR": 252,
    "ANY": 255,
    "URI": 256,
    "CAA": 257,
}
A, NS, CNAME, SOA, MX, AAAA, DNAME, OPT, DS = (
    TYPES[name] for name in ("A", "NS", "CNAME", "SOA", "MX", "AAAA", "DNAME", "OPT", "DS")
)
ANY, AXFR, IXFR = TYPES["ANY"], TYPES["AXFR"], TYPES["IXFR"]

RCODES = {
    "NOERROR": 0,
    "FORMERR": 1,
    "SERVFAIL": 2,
    "NXDOMAIN": 3,
    "NOTIMP": 4,
    "REFUSED": 5,
    "YXDOMAIN": 6,
    "YXRRSET": 7,
    "NXRRSET": 8,
    "NOTAUTH": 9,
    "NOTZONE": 10,
    "BADVERS": 16,
    "BADCOOKIE": 23,
}

CLASS_IN = 1

_TYPE_NAMES = {number: name for name, number in TYPES.items()}


def parse_type(text: str) -> int | None:
    """The number of a type from `MX` or `TYPE15`; None = not a type."""
    word = text.upper()
    if word in TYPES:
        return TYPES[word]
    number = word.removeprefix("TYPE")
    if number != word and number.isascii() and number.isdigit() and len(number) <= 5 and int(number) <= 0xFFFF:
        return int(number)
    return None


def type_name(number: int) -> str:
    """`MX`, or `TYPE65280`."""
    return _TYPE_NAMES.get(number, f"TYPE{number}")

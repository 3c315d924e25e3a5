"""A command-line client for the internet's plain protocols.

The words this package uses:

target      what the user names: a host with a path, a URL, a domain name. Everything is done, and answered, per target.
stream      one connection: bytes in order, TCP or TLS. It knows no protocol.
parser      a generator that turns the bytes of a stream into a model; it yields only to say "more bytes".
model       what a protocol talks about, as frozen dataclasses: a reply, an article, a record.
deadline    the moment a wait has to be over. One is passed down; each wait takes the sooner of it and the silence.
trace       the record of one target's conversation: every byte with its time and channel; `-v` and `--timing` read it.
payload     bytes that belong to the user (file contents, HTTP bodies): exact everywhere.
composed    text that this program puts together (listings, headers, notes): control characters are escaped everywhere.
"""

__version__ = "0.1.0"

"""A command-line client for internet protocols: FTP, NNTP, HTTP/1.1, TLS, DNS, and lines over TCP and UDP.

The words of this package:

target      what the user names on the command line: a host with a path, a URL, a domain name. Each target has its own
            result and exit code.
task        the object that works on one target; the command makes it, `cli.runner` calls its `attempt` once per try.
session     the network side of one target: its time limits, TLS options, notes and trace.
stream      one connection: bytes in order over TCP or TLS, without knowledge of a protocol.
parser      a generator that turns the bytes of a stream into a model; a yield means "more bytes are needed".
model       the objects of a protocol as frozen dataclasses: a reply, an article, a record.
view        pure functions that turn a model into lines of text and into JSON.
deadline    the time at which waiting must end, passed down to each wait. A wait ends at the deadline or at the silence
            limit, whichever comes first.
trace       the record of one target's conversation: each piece of data with its time and channel, read by `-v` and
            `--timing`.
payload     bytes that belong to the user (file contents, HTTP bodies): never changed.
composed    text that this program writes (listings, headers, notes): control characters in it are always escaped.
"""

__version__ = "0.1.0"

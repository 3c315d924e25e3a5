"""What users of curl, wget, dig and openssl type out of habit, and how it is said here."""

HABITS = {
    "-k": "--insecure",
    "--no-check-certificate": "--insecure",
    "--cacert": "--ca FILE",
    "-CAfile": "--ca FILE",
    "--ca-certificate": "--ca FILE",
    "-O": "nothing: `ftp get` takes the remote name by itself; -o FILE names another",
    "--remote-name": "nothing: `ftp get` takes the remote name by itself; -o FILE names another",
    "-L": "nothing: redirects are shown, not followed",
    "--location": "nothing: redirects are shown, not followed",
    "-I": "--head",
    "-s": "-q",
    "--silent": "-q",
    "-S": "nothing: errors are always told",
    "-u": "--user NAME with --password-file FILE",
    "-m": "--max-time S",
    "--retry": "--retries N",
    "--output-document": "-o FILE",
    "--directory-prefix": "-P DIR",
    "--tries": "--retries N",
    "--show-error": "nothing: errors are always told",
    "--pinnedpubkey": "--pin sha256//BASE64",
    "-connect": "the target itself: inetcli tls hello HOST:PORT",
    "-servername": "--servername NAME",
    "-showcerts": "nothing: `tls hello` always shows the chain",
    "-alpn": "--alpn LIST",
    "-cert": "--cert FILE",
    "-key": "--key FILE",
    "-verify_return_error": "nothing: a bad certificate always fails",
    "-quiet": "-q",
    "+short": "--short",
    "+tcp": "--tcp",
    "+vc": "--tcp",
    "+tls": "--tls",
    "+https": "--https",
    "+time": "--timeout S",
    "+tries": "--retries N",
    "+retry": "--retries N",
    "+json": "--json",
    "+noall": "--short",
    "-x": "the address itself: inetcli dns lookup 192.0.2.1 PTR",
    "-p": "the port behind the server: @192.0.2.53:5353",
    "-t": "the type behind the name: inetcli dns lookup NAME TYPE",
}


def habit(argument: str) -> str | None:
    """How an argument of another tool is said here; None = it is no such habit."""
    spelling = HABITS.get(argument) or HABITS.get(argument.partition("=")[0])
    return f"{argument} is said {spelling} here" if spelling else None

"""The way in, of `inetcli` and of `python -m inetcli`.

While the program is being loaded, which is most of the time of a short command, there is nothing to clean up. So a
Ctrl-C ends it at once then, by the signal, and not with the traceback of an import.
"""

import signal


def main() -> None:
    """Load the program and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not if it was ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from inetcli.cli.app import main as run

    run()


if __name__ == "__main__":
    main()

"""The entry point of `inetcli` and of `python -m inetcli`.

Loading the program takes most of the time of a short command. During the load there is nothing to clean up, so a Ctrl-C
kills the process by the signal at once, instead of showing the traceback of an import.
"""

import signal


def main() -> None:
    """Load the program and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # an ignored signal stays ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from inetcli.cli.app import main as run

    run()


if __name__ == "__main__":
    main()

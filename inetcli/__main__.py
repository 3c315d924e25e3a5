"""`python -m inetcli` is the same as `inetcli`."""

from inetcli.cli.app import main

if __name__ == "__main__":
    main()

"""The jobs of `inetcli ftp`: one module with the tasks of each command, and `target`, which all of them use."""

"""What the commands of `inetcli ftp` do with a target: a task each, on what `target` has for all."""

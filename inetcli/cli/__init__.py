"""The command line: groups, shared options, output, and the way errors become exit codes."""

"""The command line: groups, shared options, the run over all targets, output, and exit codes."""

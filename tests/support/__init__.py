"""What the tests share: servers to script, programs to run, rules to hold the source to."""

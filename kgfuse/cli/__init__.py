"""The command line: data on standard output, progress and notes on standard error, exit codes 0, 1 and 2."""

"""The command line: thin typer commands, and the one place where errors become exit codes."""

"""The command line: thin typer commands, and the one place where errors become exit codes."""


def run() -> None:
    """Run the command that the arguments name and leave with its exit code."""
    from llmctl.cli.app import app

    app()

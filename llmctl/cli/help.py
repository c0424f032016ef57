"""`llmctl help`: the table of exit codes, and help on any command."""

from typing import Annotated

import typer

from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_("Examples: llmctl help · llmctl help exit-codes --json · llmctl help keys"),
)
def help_(
    topic: Annotated[
        str | None, typer.Argument(help=_("exit-codes, or a command"), show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=_("one JSON document"))] = False,
) -> None:
    """Help on a topic."""
    from importlib import import_module

    from llmctl.cli.commands import COMMANDS, root_help
    from llmctl.cli.spoken import spoken
    from llmctl.errors import UsageError
    from llmctl.output.streams import out

    if topic is None:
        out(root_help())
    elif topic == "exit-codes":
        out(exit_code_table(as_json=json))
    elif topic in COMMANDS:
        app = spoken(import_module(COMMANDS[topic].module).app)
        app(args=["--help"], prog_name=f"llmctl {topic}")
    else:
        raise UsageError(
            _("no help on {topic}", topic=topic),
            hint=_("topics: exit-codes, {commands}", commands=", ".join(COMMANDS)),
        )


def exit_code_table(*, as_json: bool) -> str:
    """The table of errors.py, as text or as `{"version": 1, "exit_codes": [...]}`."""
    from llmctl.errors import exit_codes

    if as_json:
        import json
        from dataclasses import asdict

        document = {"version": 1, "exit_codes": [asdict(one) for one in exit_codes()]}
        return json.dumps(document, indent=2) + "\n"
    return "".join(f"{one.exit_code:>4}  {one.code:<16}{one.when}\n" for one in exit_codes())

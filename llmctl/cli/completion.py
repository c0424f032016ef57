"""`llmctl completion`: the script that makes a shell complete our commands and options."""

import enum
from typing import Annotated

import typer

from llmctl.cli.spoken import spoken
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Shell(enum.StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@app.command(
    epilog=_('Examples: llmctl completion bash >> ~/.bashrc · eval "$(llmctl completion zsh)"'),
)
def completion(
    shell: Annotated[Shell, typer.Argument(help=_("the shell to write it for"))],
) -> None:
    """Print the completion script of a shell; put it where that shell reads its settings."""
    import os

    from llmctl.cli.start import COMPLETE_VARIABLE

    os.environ[COMPLETE_VARIABLE] = f"source_{shell.value}"
    full_app()(prog_name="llmctl")


def full_app() -> typer.Typer:
    """All commands in one tree, as completion needs it; nothing else does."""
    from importlib import import_module

    from llmctl.cli.commands import COMMANDS

    root = typer.Typer(rich_markup_mode=None, help="llmctl")
    for name, command in COMMANDS.items():
        module_app: typer.Typer = import_module(command.module).app
        if command.single:
            function = module_app.registered_commands[0].callback
            assert function is not None  # noqa: S101  a registered command has one
            root.command(name, help=command.summary)(function)
        else:
            root.add_typer(module_app, name=name, help=command.summary)
    return spoken(root)

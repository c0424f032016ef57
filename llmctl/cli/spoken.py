"""The help of a command stands in its docstring; here it becomes the user's language."""

from typing import TYPE_CHECKING

from llmctl.messages import _, lookup

if TYPE_CHECKING:
    import typer


def spoken(app: "typer.Typer") -> "typer.Typer":
    """`app` with the docstrings of its commands looked up in the catalogue, before it runs.

    In English nothing is done. tests/catalogue.py collects the same texts.
    """
    if lookup() is None:
        return app
    from inspect import cleandoc

    for command in app.registered_commands:
        text = command.help or (command.callback.__doc__ if command.callback else None)
        if text:
            command.help = _(cleandoc(text))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            spoken(group.typer_instance)
    return app

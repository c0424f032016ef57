"""The help of a command stands in its docstring; here it becomes the user's language."""

from typing import TYPE_CHECKING

from llmctl.messages import _, lookup

if TYPE_CHECKING:
    import typer


def spoken(app: "typer.Typer") -> "typer.Typer":
    """`app` with the docstrings of its commands and typer's own words looked up in the catalogue,
    before it runs.

    In English nothing is done. tests/catalogue.py collects the same texts.
    """
    if lookup() is None:
        return app
    from inspect import cleandoc

    from llmctl.cli.typer_words import OPTIONS, SpokenCommand, SpokenGroup, lend_catalogue

    lend_catalogue()
    app.info.cls = SpokenGroup
    app.info.options_metavar = _("[OPTIONS]")
    app.info.subcommand_metavar = _("COMMAND [ARGS]...")
    for command in app.registered_commands:
        text = command.help or (command.callback.__doc__ if command.callback else None)
        if text:
            command.help = _(cleandoc(text))
        command.cls = SpokenCommand
        if command.options_metavar == OPTIONS:
            command.options_metavar = _("[OPTIONS]")
    for group in app.registered_groups:
        if group.options_metavar == OPTIONS:
            group.options_metavar = _("[OPTIONS]")
        if group.typer_instance is not None:
            spoken(group.typer_instance)
    return app

"""typer's own words in help, in the user's language.

It looks some of them up with gettext, which is told here where our catalogue lies; those that it
has fixed are put in by the two classes below. Imported only where the language is not English.
"""

import gettext
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from llmctl import resources
from llmctl.messages import DOMAIN, _

OPTIONS = "[OPTIONS]"  # typer's default, which is told from a metavar of our own
LOOKED_UP_BY_TYPER = (
    _("Arguments"),
    _("Options"),
    _("Commands"),
    _("default: {default}"),
    _("required"),
    _("No such command {name!r}."),
)


def lend_catalogue() -> None:
    """Name our catalogue to the gettext functions that typer calls. One in a zipped wheel cannot be
    named: those words stay English there."""
    folder = resources.config() / "locale"
    if isinstance(folder, Path):
        gettext.bindtextdomain(DOMAIN, str(folder))
        gettext.textdomain(DOMAIN)


class _Spoken:
    """What the two kinds of commands have in common; typer's types of contexts have no public
    name."""

    def format_usage(self: Any, ctx: Any, formatter: Any) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=_("Usage:") + " ")

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this message and exit.")
        return option


class SpokenCommand(_Spoken, TyperCommand):
    """A command whose usage line and --help are in the user's language."""


class SpokenGroup(_Spoken, TyperGroup):
    """A group of commands, likewise."""

"""`llmctl keys`: API keys, put away and shown only by where they are."""

import enum
from typing import Annotated

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

app = typer.Typer(
    help=_("Store, list and remove API keys. A key is never given as an argument."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


class Storage(enum.StrEnum):
    KEYRING = "keyring"
    FILE = "file"


@app.command(
    "set",
    epilog=_(
        "Examples: llmctl keys set openai · pass show openai | llmctl keys set openai · "
        "llmctl keys set openai --storage file"
    ),
)
def set_(
    provider: Annotated[str, typer.Argument(help=_("whose key it is"))],
    surplus: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    storage: Annotated[
        Storage, typer.Option("--storage", help=_("where: the system's keyring, or a 0600 file"))
    ] = Storage.KEYRING,
) -> None:
    """Store a provider's key, typed unseen or read from standard input."""
    import sys

    from llmctl import catalogue, keys, settings
    from llmctl.errors import UsageError
    from llmctl.output.streams import err

    if surplus:
        raise UsageError(
            _("a key as an argument would be seen by every user of this machine"),
            hint=_("type it when asked: llmctl keys set {provider}; and change that key now,"
                   " it is in your shell's history", provider=provider),
        )  # fmt: skip
    card = catalogue.card(provider, settings.load().settings)
    if card.auth.kind == "none":
        raise UsageError(_("{name} needs no key", name=card.name))
    if sys.stdin is None:
        raise UsageError(
            _("there is no key in the input"),
            hint=_("type it when asked: llmctl keys set {provider}", provider=provider),
        )
    if sys.stdin.isatty():
        from getpass import getpass

        try:
            value = getpass(_("Key for {name} (not shown): ", name=card.name))
        except EOFError:
            value = ""
    else:
        value = sys.stdin.buffer.readline().decode("utf-8", "replace")
    where = keys.store(provider, value, storage.value)
    err(_("Stored in {where}.", where=where) + "\n")


@app.command("list", epilog=_("Examples: llmctl keys list · llmctl keys list --json"))
def list_(json: Json = False) -> None:
    """Show where each provider's key would come from, never the key."""
    from llmctl import catalogue, keys, settings
    from llmctl.output.envelope import document
    from llmctl.output.table import table

    own = settings.load().settings
    rows = []
    for provider in catalogue.provider_ids(own):
        card = catalogue.card(provider, own)
        if card.auth.kind == "none":
            continue
        places = keys.where(card, own.providers.get(provider, settings.ProviderSettings()))
        used = next(iter(places), None)
        rows.append((provider, used, card.auth))
    if json:
        listed = [
            {"provider": provider, "source": used, "env": list(auth.env),
             "needed": auth.kind != "optional-key"}
            for provider, used, auth in rows
        ]  # fmt: skip
        document({"version": 1, "keys": listed})
        return
    lines = [
        [
            provider,
            used or (_("none (not needed)") if auth.kind == "optional-key" else _("none")),
            ", ".join(auth.env),
        ]
        for provider, used, auth in rows
    ]
    table([_("provider"), _("key from"), _("variables")], lines)


@app.command("rm", epilog=_("Example: llmctl keys rm openai"))
def rm(provider: Annotated[str, typer.Argument(help=_("whose key to forget"))]) -> None:
    """Forget a stored key. Variables of the environment are not touched."""
    from llmctl import keys
    from llmctl.errors import NotFound
    from llmctl.output.streams import err

    if not keys.remove(provider):
        raise NotFound(
            _("no key for {provider} is stored", provider=provider),
            hint=_("what there is: llmctl keys list"),
        )
    err(_("Forgotten.") + "\n")

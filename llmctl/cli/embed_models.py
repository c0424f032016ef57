"""Which model makes vectors: the one that is named, the default if it is one, or the one that comes
with an extra; what is known to make none is refused."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.engine.placed import placed
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Notice
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded
    from llmctl.types import Embed

MOST_NAMED = 4


def named(given: str | None, loaded: "Loaded") -> str:
    """The name of a model; raises UsageError where none is given and none is there."""
    if given is not None:
        return given
    default = loaded.settings.defaults.model
    if default is not None and _is_known(default, loaded):
        return default
    for card in _cards(loaded):
        for model in card.models if card.kind == "embedded" else ():
            package = model.weights.package if model.weights else None
            if model.kind == "embedding" and package and find_spec(package) is not None:
                return f"{card.id}/{model.id}"
    raise UsageError(_("which model is to make vectors?"), hint=_hint(loaded))


def refuse_others(name: str, loaded: "Loaded") -> None:
    """Raises UsageError, with models that do, for one of which the card says that it makes no
    vectors; one that no card lists may, and every one that runs inside this program can."""
    place = placed(name, loaded)
    model = place.model_card
    if model is not None and model.kind != "embedding" and place.card.kind != "embedded":
        raise UsageError(
            _("{model} makes no vectors", model=place.name), hint=_hint(loaded, place.card)
        )


def refuse_format(route: "Route", call: "Embed", loaded: "Loaded") -> None:
    """Raises UsageError for what the format, or the model, has no words for."""
    size = route.model_card.dimensions if route.model_card else None
    if call.dimensions is not None and size is not None and call.dimensions > size:
        raise UsageError(
            _("the vectors of {model} have at most {size} numbers", model=route.model, size=size),
            hint=_("ask for fewer with --dimensions, or leave it out"),
        )
    try:
        route.dialect.encode(replace(call, texts=("a",)), route.quirks)
    except UsageError as error:
        if error.hint is not None:
            raise
        raise UsageError(
            _("{provider} makes no vectors", provider=route.provider), hint=_hint(loaded)
        ) from None


def same_for_all(route: "Route", call: "Embed") -> bool:
    """Whether the model is asked alike for documents and for questions."""
    if route.model_card is not None and route.model_card.query_model is not None:
        return False
    document, query = (
        route.dialect.encode(replace(call, texts=("a",), purpose=purpose), route.quirks)
        for purpose in ("document", "query")
    )
    return document == query


def unheeded(route: "Route", call: "Embed") -> list[Notice]:
    """A note where the purpose changes nothing."""
    if call.purpose is None or not same_for_all(route, call):
        return []
    text = _("{model} makes no difference between documents and questions; --purpose was left out.",
             model=route.model)  # fmt: skip
    return [Notice("dropped", text)]


def other_asked(route: "Route", call: "Embed", given: str | None) -> list[Notice]:
    """A note where the model for questions takes the place of the one that was named."""
    card = route.model_card
    if call.purpose != "query" or card is None or given is None or given.endswith(card.id):
        return []
    if not any(one.query_model == card.id for one in route.card.models):
        return []
    return [Notice("query-model", _("{model} is asked, the model for questions.", model=card.id))]


def poor(route: "Route") -> list[Notice]:
    """A note on the vectors of a model inside this program that was not made for that."""
    if route.target.weights is None or (route.model_card and route.model_card.kind == "embedding"):
        return []
    from pathlib import Path

    from llmctl.transport.llama_vectors import own_pooling

    if own_pooling(Path(route.target.weights)):
        return []
    text = _("{model} was not made for vectors: those of its tokens are averaged, and tell badly"
             " what is alike. Models that were: llmctl models list {provider}",
             model=route.model, provider=route.provider)  # fmt: skip
    return [Notice("poor-vectors", text)]


def other(model: str, route: "Route") -> list[Notice]:
    """A note where questions go to another model than the one that was named."""
    if route.model == model:
        return []
    text = _("{model} is for documents; questions go to {other}.", model=model, other=route.model)
    return [Notice("query-model", text)]


def _is_known(name: str, loaded: "Loaded") -> bool:
    try:
        model = placed(name, loaded).model_card
    except LlmctlError:
        return False
    return model is not None and model.kind == "embedding"


def _hint(loaded: "Loaded", first: "Card | None" = None) -> str:
    """Some models that make vectors, those of the `first` card before others, one of each."""
    names = [] if first is None else [*_of(first)][:MOST_NAMED]
    for card in _cards(loaded):
        if first is None or card.id != first.id:
            names += [*_of(card)][:1]
    return _("what does: {names}", names=", ".join(f"-m {one}" for one in names[:MOST_NAMED]))


def _of(card: "Card") -> Iterator[str]:
    for model in card.models:
        if model.kind == "embedding" and model.status in ("current", "preview"):
            yield f"{card.id}/{model.id}"


def _cards(loaded: "Loaded") -> Iterator["Card"]:
    for provider in catalogue.provider_ids(loaded.settings):
        own = loaded.settings.providers.get(provider)
        if not (own and own.extends):
            yield catalogue.card(provider, loaded.settings)

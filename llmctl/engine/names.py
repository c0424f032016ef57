"""Which model a name means: aliases, bare ids, and what was probably meant by one that is none."""

import re

from llmctl import catalogue
from llmctl.cards import Card, Model
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.settings import Settings

# What Ollama calls the models that it only passes on. Other servers have no such names, and which
# program listens at an address no card can know.
CLOUD_NAME = re.compile(r"[:-]cloud$", re.IGNORECASE)


def unalias(name: str, settings: Settings) -> str:
    """The name behind an alias, followed through further aliases; raises UsageError in a circle."""
    seen = [name]
    while (name := settings.aliases.get(name, name)) != seen[-1]:
        if name in seen:
            raise UsageError(
                _("the alias {name} leads back to itself", name=name),
                hint=_("mend it: llmctl config edit"),
            )
        seen.append(name)
    return name


def split(name: str, settings: Settings) -> tuple[str, str]:
    """(provider, model): at the first slash when a provider stands before it, else by the card
    that has the bare id."""
    known = catalogue.provider_ids(settings)
    provider, slash, model = name.partition("/")
    if slash and provider in known:
        if not model:
            raise UsageError(
                _("{name} names no model", name=name),
                hint=_("see what there is: llmctl models list {provider}", provider=provider),
            )
        return provider, model
    having = _having(name, known, settings)
    if len(having) == 1:
        return having[0], name
    if name in known:
        raise UsageError(
            _("{name} is a provider; which of its models?", name=name),
            hint=_("such as: -m {name}/{model}", name=name,
                   model=catalogue.card(name, settings).default_model or "MODEL"),
        )  # fmt: skip
    if having:
        raise UsageError(
            _("several providers have {name}", name=name),
            hint=_("say which: {names}", names=", ".join(f"{one}/{name}" for one in having)),
        )
    raise UsageError(
        _("no provider or model is called {name}", name=name),
        hint=_("a file of your own: -m local/{name}", name=name)
        if name.lower().endswith(".gguf")
        else _nearest(name, known, settings),
    )


def _having(name: str, known: list[str], settings: Settings) -> list[str]:
    """The providers a bare id may mean: the makers of that model before those who resell it, and
    never a second account, which has the models of the first."""
    accounts = {one for one, own in settings.providers.items() if own.extends}
    cards = [catalogue.card(one, settings) for one in known if one not in accounts]
    having = [card for card in cards if find_model(card, name)]
    makers = [card for card in having if not card.reseller]
    return [card.id for card in makers or having]


def _nearest(name: str, known: list[str], settings: Settings) -> str:
    from difflib import get_close_matches

    provider, slash, model = name.partition("/")
    if slash and (close := get_close_matches(provider, known, 2)):
        return _(
            "did you mean: -m {names}", names=_(" or ").join(f"{one}/{model}" for one in close)
        )
    names = [f"{one}/{model.id}" for one in known for model in catalogue.card(one, settings).models]
    bare = {full.partition("/")[2]: full for full in names}
    near = get_close_matches(name, names, 3) or [
        bare[one] for one in get_close_matches(name, list(bare), 3)
    ]
    if near:
        return _("did you mean: -m {names}", names=_(" or ").join(near))
    return _("see them all: llmctl models list")


def near_models(card: Card, model: str) -> str | None:
    """A hint with the card's models that are spelt much like `model`, None without any."""
    from difflib import get_close_matches

    near = get_close_matches(model, [one.id for one in card.models if one.id != model], 3)
    if not near:
        return None
    return _("did you mean: -m {names}", names=_(" or ").join(f"{card.id}/{one}" for one in near))


def find_model(card: Card, model: str) -> Model | None:
    """The card's entry for `model`, by id, alias or pattern; of a tuned one with all that its base
    has, also where the name alone tells what that is; of one that was pulled from the Hub by its
    name there, what was kept of it."""
    found = _entry(card, model)
    if found is not None and found.tuned_from is None:
        return found
    from llmctl.engine import pulled, tuned

    if found is None and card.kind == "embedded":
        return pulled.entry(model)
    return tuned.unlisted(card, model) if found is None else tuned.filled(card, found)


# What was found, by the card's identity: each answer of a job asks for the same few names, and a
# card has a hundred patterns. A card is kept with it, so that no other can have its identity.
_FOUND: dict[int, tuple[Card, dict[str, Model | None]]] = {}
_MOST = 1000  # names, and cards: rows may name models of their own


def _entry(card: Card, model: str) -> Model | None:
    kept = _FOUND.get(id(card))
    if kept is None:
        if len(_FOUND) >= _MOST:
            _FOUND.clear()
        kept = _FOUND[id(card)] = (card, {})
    found = kept[1]
    if model not in found:
        if len(found) >= _MOST:
            found.clear()
        found[model] = _looked_up(card, model)
    return found[model]


def _looked_up(card: Card, model: str) -> Model | None:
    from fnmatch import fnmatchcase

    for one in card.models:
        if model == one.id or model in one.aliases:
            return one
    for one in card.models:
        if any(fnmatchcase(model, pattern) for pattern in one.match):
            return one
    return None


def runs_elsewhere(card: Card, model: str) -> bool:
    """Whether the name alone says that a local server only passes this model on to a cloud."""
    return card.kind not in ("api", "embedded") and CLOUD_NAME.search(model) is not None

"""Models that a provider has trained further for a customer: in all that nobody says of them they
are like the model they were made from, except in what they cost."""

from dataclasses import fields

from llmctl.cards import Card, CardQuirks, Model
from llmctl.values import replace

# What is the same after tuning, as long as the card says nothing else.
KEPT = (
    *("dialect", "context", "output_limit", "expected_output", "reasoning", "tools", "schema"),
    *("inputs", "outputs", "tokenizer", "tokenizer_like", "family", "languages"),
)
# `ft:BASE:ORGANISATION:SUFFIX:ID` is how OpenAI, and those who do as it does, name them.
MARK = "ft:"
UNSAID = Model(id="")


def filled(card: Card, tuned: Model) -> Model:
    """The card's entry with what the entry of its base says where it says nothing itself."""
    base = next((one for one in card.models if one.id == tuned.tuned_from), None)
    if base is None:
        return tuned
    kept = {
        name: getattr(base, name) for name in KEPT if getattr(tuned, name) == getattr(UNSAID, name)
    }
    return replace(tuned, **kept, quirks=_merged(base.quirks, tuned.quirks))


def unlisted(card: Card, name: str) -> Model | None:
    """An entry for a tuned model that the card has none for, by the base in its name; None where
    there is none. It has no price, which is not that of the base."""
    if not name.startswith(MARK):
        return None
    from llmctl.engine.names import find_model
    from llmctl.engine.route import is_version

    named = name.removeprefix(MARK).partition(":")[0]
    base = find_model(card, named) or next(
        (one for one in card.models if named and is_version(named, one.id)), None
    )
    if base is None or base.tuned_from is not None:
        return None
    entry = Model(id=name, tuned_from=base.id, open_weights=base.open_weights, source=base.source)
    return filled(card, entry)


def _merged(base: CardQuirks, own: CardQuirks) -> CardQuirks:
    stated = {
        one.name: value
        for one in fields(CardQuirks)
        if (value := getattr(own, one.name)) is not None
    }
    return replace(base, **stated)

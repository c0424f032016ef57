"""docs/providers.md: who is spoken to, how, and what shows that it is right; from the cards."""

from collections.abc import Iterator

from llmctl import catalogue
from llmctl.cards import Card, Privacy
from llmctl.structure import build
from tests.matrix.document import table
from tests.matrix.evidence import live, shown
from tests.matrix.lanes import PROVIDERS, lanes

HEAD = """\
# Providers

Made from the cards in `providers/` by `python -m tests.matrix`; a test says when it is stale.
`llmctl providers show PROVIDER` prints a card with all its facts, `llmctl models list PROVIDER` its
models, `llmctl models list PROVIDER --live` those that the provider names itself.

Who has tried a provider against its live service, and when, stands in the last column of the
table; the one before says what else shows that llmctl speaks rightly. What each provider does in
every situation stands in [conformance.md](conformance.md). Whoever has a key can verify a provider
and help all others:

```
llmctl doctor PROVIDER --live --record FILE
```

It says first what that may cost (less than 0.05 USD where the price is known), makes at most ten
small calls that try what the card claims, prints which claims hold, and writes a recording without
keys, which goes into `tests/live/recordings/` and is replayed by the tests from then on.
"""


def cards() -> Iterator[Card]:
    for path in sorted(PROVIDERS.glob("*.toml")):
        yield build(Card, catalogue.shipped_table(path.stem))


def written() -> str:
    """The whole text."""
    found = list(cards())
    return "\n".join([HEAD, _overview(found), *(text for card in found for text in _section(card))])


def _overview(found: list[Card]) -> str:
    rows = []
    for card in found:
        those = [lane for lane in lanes() if lane.provider == card.id]
        rows += [
            [
                f"[{card.id}](#{anchor(card)})" if number == 0 else "",
                f"`{lane.dialect}`",
                "; ".join(shown(lane)),
                live(card.id) if number == 0 else "",
            ]
            for number, lane in enumerate(those)
        ]
        if not those:
            model = "real answers of a real model in the tests"
            rows.append([f"[{card.id}](#{anchor(card)})", "in the process", model, "–"])
    return table(["provider", "dialect", "verified by", "live"], rows)


def anchor(card: Card) -> str:
    """The place of a heading, as the sites that show such texts make it."""
    kept = "".join(letter for letter in card.name.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _section(card: Card) -> Iterator[str]:
    yield f"## {card.name}\n"
    yield "".join(f"- {line}\n" for line in _facts(card))
    if card.settings:
        yield f"Settings (`llmctl config set providers.{card.id}.NAME VALUE`):\n"
        yield table(
            ["name", "what it is", "values", "environment"],
            [
                [
                    f"`{one.name}`" + (" (required)" if one.required else ""),
                    one.help.replace("|", "\\|"),
                    ", ".join(
                        f"**{value}**" if value == one.default else value for value in one.choices
                    )
                    or (one.default or "–"),
                    ", ".join(f"`{name}`" for name in one.env) or "–",
                ]
                for one in card.settings
            ],
        )
    if card.privacy:
        yield "What happens to the data:\n"
        yield "".join(f"- {_fact(one)}\n" for one in card.privacy)


def _facts(card: Card) -> Iterator[str]:
    if card.kind == "embedded":
        yield f"`-m {card.id}/MODEL`, inside the process of llmctl: nothing is sent anywhere"
    else:
        yield f"`-m {card.id}/MODEL`, at `{card.endpoint.base_url}`" + (
            f" (or `{card.endpoint.base_url_env}`)" if card.endpoint.base_url_env else ""
        )
    if card.endpoint.base_url_required:
        setting = f"providers.{card.id}.base_url"
        yield f"every account has its own address: `llmctl config set {setting} URL`"
    if card.auth.kind == "none":
        yield "no key"
    else:
        optional = "; none is needed" if card.auth.kind == "optional-key" else ""
        names = " or ".join(f"`{name}`" for name in card.auth.env)
        yield f"key: `llmctl keys set {card.id}` or {names}{optional}" + (
            f"; one is had at <{card.auth.help_url}>" if card.auth.help_url else ""
        )
    models = [one for one in card.models if one.kind in ("chat", "base")]
    others = "; other names pass through" if card.any_model and models else ""
    usual = f", of which `{card.default_model}` is asked by default" if card.default_model else ""
    if models:
        yield f"{len(models)} models on the card{usual}{others}"
    else:
        yield "models: those that the server names (`llmctl models list " + card.id + " --live`)"
    if card.docs:
        yield f"its own documents: <{card.docs}>"


def _fact(one: Privacy) -> str:
    tier = f"{one.tier}: " if one.tier else ""
    when = ", ".join(f"{name} {value}" for name, value in one.when.items())
    models = f"{', '.join(f'`{name}`' for name in one.models)}: " if one.models else ""
    days = "unknown" if one.retention_days is None else f"{one.retention_days} days"
    where = f", regions {', '.join(one.regions)}" if one.regions else ""
    asked = "".join(
        f"; **{effect.level}** when `{name}` is sent" for name, effect in one.controls.items()
    )
    notes = f" {one.notes}" if one.notes else ""
    scope = tier + models + (f"with {when}: " if when else "")
    return (
        f"{scope}level **{one.level}**{asked}, trains on it: {one.trains},"
        f" kept: {days}, read by people: {one.human_review}{where}.{notes}"
        f" ({one.source.title}; checked {one.source.checked})"
    )

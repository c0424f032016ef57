"""Which facts of the shipped cards nobody has looked at for long: `python -m tests.expiry`.

Prices and terms change without a word. A fact is relied on for 90 days after its source was
checked, or until the day its source names; what is out of date, or will be within a fortnight,
stands here with its source, so that somebody checks it and dates it anew. It is a report and never
a failure: the code has not changed.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from llmctl import catalogue, resources
from llmctl.cards import Card
from llmctl.expiry import Fact, dated_facts
from llmctl.structure import build

AHEAD = timedelta(days=14)


def shipped() -> Iterator[Card]:
    for one in sorted(resources.providers().iterdir(), key=lambda one: one.name):
        yield build(Card, catalogue.shipped_table(one.name.removesuffix(".toml")))


def due(cards: Iterable[Card], today: date) -> list[Fact]:
    """What is not relied on any more today, or will not be at the end of the fortnight; the oldest
    first."""
    facts = [fact for card in cards for fact in dated_facts(card)]
    return sorted((one for one in facts if one.until < today + AHEAD), key=lambda one: one.until)


def report(cards: Iterable[Card], today: date) -> Iterator[str]:
    """Lines for people: a head, then a line for each source, as facts that share one are checked
    in one go."""
    facts = due(cards, today)
    expired = sum(one.until < today for one in facts)
    yield (
        f"{expired} facts of the cards are out of date on {today}, {len(facts) - expired} more will"
        f" be within {AHEAD.days} days"
    )
    groups: dict[tuple[str, date, str, str | None], list[str]] = {}
    for one in facts:
        key = (one.card, one.until, one.source.title, one.source.url)
        groups.setdefault(key, []).append(one.what)
    for (card, until, title, url), what in groups.items():
        word = "expired" if until < today else "expires"
        named = what[0] if len(what) == 1 else f"{what[0]} and {len(what) - 1} more"
        yield f"{card}: {named} {word} on {until}: {title}{f' <{url}>' if url else ''}"


def main() -> None:
    given = sys.argv[1:]
    today = date.fromisoformat(given[0]) if given else datetime.now(UTC).date()
    for line in report(shipped(), today):
        print(line)


if __name__ == "__main__":
    main()

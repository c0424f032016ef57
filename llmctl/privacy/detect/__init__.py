"""What stands in a text that is secret or personal: keys, passwords, addresses, numbers, names.

`find` is all that others need. Importing costs next to nothing: a pattern is compiled the first
time a text could hold what it looks for. Every search takes time in proportion to the text.
"""

from collections.abc import Collection, Iterable, Iterator

from llmctl.privacy.detect.finding import TYPES, Finding

__all__ = ["STRUCTURED", "TYPES", "Finding", "find"]

# Types that checksums, shapes and words beside them tell; names of people need a model.
STRUCTURED = tuple(one for one in TYPES if one not in ("secret", "person"))


def find(text: str, *, types: Collection[str] | None = None, names: bool = False) -> list[Finding]:
    """All findings in `text`, in order, none overlapping another: where two do, the more specific
    one stays. `types` limits the search (None: all that need no model); `names` adds people's
    names and raises ConfigError where the extra `pii` is not installed.

    Offsets count characters of `text` as it was given.
    """
    from llmctl.privacy.detect.spelling import Plain

    wanted = frozenset(TYPES if types is None else types)
    plain = Plain(text)
    kept = _apart(_found(plain.text, wanted))
    found = [plain.original(one) for one in kept]
    if names or (types is not None and "person" in wanted):
        from llmctl.privacy.detect.names import people

        found = _apart([found, people(text)])
    return found


def _found(text: str, wanted: frozenset[str]) -> Iterator[Iterable[Finding]]:
    """What each detector finds, the most specific ones first."""
    from llmctl.privacy.detect import secrets

    if "secret" in wanted:
        yield from secrets.shapes(text)
    if not wanted.isdisjoint(STRUCTURED):
        from llmctl.privacy.detect import contacts, numbers
        from llmctl.privacy.detect.labels import Labels

        labels = Labels(text)
        yield from numbers.found(text, labels, wanted)
        yield from contacts.found(text, labels, wanted)
    if "secret" in wanted:
        yield secrets.assignments(text)


def _apart(batches: Iterable[Iterable[Finding]]) -> list[Finding]:
    """In order of place. Of those that overlap, the one of the earlier batch stays, and within a
    batch the one that begins earlier, then the longer one."""
    kept: list[Finding] = []
    for batch in batches:
        fresh = sorted(batch, key=lambda one: (one.start, -one.end))
        if not fresh:
            continue
        merged: list[Finding] = []
        place = 0
        for one in fresh:
            while place < len(kept) and kept[place].start < one.end:
                merged.append(kept[place])
                place += 1
            last = merged[-1] if merged else None
            if one.start < one.end and (last is None or last.end <= one.start):
                merged.append(one)
        kept = [*merged, *kept[place:]]
    return kept

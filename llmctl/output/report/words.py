"""Figures in words, the same in every part of a report. None is an unknown figure: a dash."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.receipt_line import amount_text
from llmctl.output.report.elements import Child, Markup, escaped, joined, tag

DASH = "–"
MOST_BYTES = 3  # of a character in the page, on average; Chinese takes as many
_PLACE = re.compile(r"\{(\w+)\}")


def filled(text: str, **parts: Child) -> Markup:
    """A translated text whose named places are filled with markup: `filled(_("by {name}"), …)`."""
    pieces = _PLACE.split(text)
    return joined(parts[one] if at % 2 else one for at, one in enumerate(pieces))


def listed(items: Iterable[Child], *, most: int | None = None) -> Markup:
    """Items with commas between; of more than `most` the others are counted."""
    every = list(items)
    shown = every if most is None else every[:most]
    pieces: list[Child] = []
    for item in shown:
        pieces += [", ", item] if pieces else [item]
    return joined(pieces, more(len(every) - len(shown)))


def more(count: int) -> str | None:
    return " " + _("and {count} more", count=count) if count > 0 else None


def unknown() -> Markup:
    return tag("span", DASH, class_="unknown", title=_("unknown"))


def known(value: float | None, written: Callable[[float], str]) -> Child:
    return unknown() if value is None else written(value)


def seconds(value: float) -> str:
    if 0 < value < 0.0005:
        return _("under 1 ms")
    if value < 0.1:
        return _("{seconds:.3f} s", seconds=value)
    if value < 10:
        return _("{seconds:.2f} s", seconds=value)
    if value < 60:
        return _("{seconds:.1f} s", seconds=value)
    minutes, rest = divmod(round(value), 60)
    return _("{minutes} min {seconds} s", minutes=minutes, seconds=rest)


def speed(value: float) -> str:
    return plain(value, 3)


def count(value: float) -> str:
    """A count, also a median of counts, which may lie between two."""
    return grouped(int(value)) if value == int(value) else f"{value:.1f}"


def share(value: float) -> str:
    """A share from 0 to 1 in per cent; what is not all never reads 100 %, what is some never 0 %.

    >>> share(0.999)
    '99.9\\xa0%'
    """
    percent = value * 100
    digits = 0 if abs(percent - round(percent)) < 0.05 else 1
    return f"{percent:.{digits}f}\u00a0%"


def money(value: Money) -> str:
    return f"{amount_text(str(value.amount))}\u00a0{value.currency}"


def price(value: Money) -> str:
    """What one run costs."""
    return money(value) if value.amount else _("free")


def thousand(value: Money) -> str:
    """What a thousand runs cost."""
    return money(Money(value.amount * 1000, value.currency))


def amount(value: Decimal | float) -> str:
    return amount_text(f"{Decimal(str(value)):f}")


def plain(value: float, digits: int = 3) -> str:
    """So many digits that mean something, never an exponent, without zeros at the end.

    >>> plain(1234.5), plain(0.00041234), plain(20.0)
    ('1,234', '0.000412', '20')
    """
    if value == 0:
        return "0"
    exact = Decimal(f"{value:.{digits}g}") if abs(value) < 10**digits else Decimal(round(value))
    text = f"{exact:f}"
    if "." in text:
        return text.rstrip("0").rstrip(".")
    return grouped(int(text))


def alike(values: Iterable[float], digits: int) -> list[str]:
    """Values that stand side by side, all to as many places as the one that needs the most.

    >>> alike((0.3, 0.34), 2), alike((9.6, 12.3), 2)
    (['0.30', '0.34'], ['9.6', '12.3'])
    """
    every = list(values)
    places = max((len(plain(one, digits).partition(".")[2]) for one in every), default=0)
    return [f"{one:.{places}f}" if places else plain(one, digits) for one in every]


def memory(size: int) -> str:
    if size < 10**9:
        return _("{size} MB", size=plain(size / 10**6, 3))
    return _("{size} GB", size=plain(size / 10**9, 2))


def moment(stamp: str) -> str:
    """`2026-11-25T12:03:04.5Z` as people read it, to the minute."""
    day, _t, time = stamp.partition("T")
    return f"{day} {time[:5]} UTC" if time else stamp


def failure(code: str) -> str:
    """What an exit code's name means for an answer."""
    return {
        "cut-off": _("cut off"),
        "incomplete": _("incomplete"),
        "filtered": _("filtered"),
        "rate-limited": _("rate limited"),
        "network": _("no connection"),
        "provider-error": _("provider's error"),
        "auth": _("key refused"),
        "not-found": _("not found"),
        "rejected": _("request rejected"),
        "schema-mismatch": _("not by the schema"),
        "budget-refused": _("over the budget"),
        "privacy-refused": _("refused by policy"),
        "interrupted": _("interrupted"),
    }.get(code, code)


def level(name: str) -> str:
    """A privacy level in a sentence."""
    return {
        "device": _("nothing leaves this machine"),
        "network": _("nothing leaves the own network"),
        "zero-retention": _("sent out, not kept, not trained on"),
        "no-training": _("sent out and kept for a time, not trained on"),
        "may-train": _("sent out, models may be trained on it"),
        "unknown": _("nobody has said what becomes of it"),
    }.get(name, name)


def chip(number: int, *, chosen: bool = False) -> Markup:
    """The number by which a candidate is found in charts and tables."""
    return tag("span", number, class_="chip chosen" if chosen else "chip")


def named(number: int, name: str, *, chosen: bool = False, after: str = "") -> Markup:
    """A line may break after each `/` of a name before it breaks within a word. `after` is what
    follows it, such as a comma, from which no line end parts it."""
    first, *others = name.replace("\n", " ").split("/")
    breakable = [first, *(piece for other in others for piece in ("/", tag("wbr"), other))]
    shown = tag("bdi", breakable)
    shown = tag("span", shown, after) if after else shown
    return tag("span", chip(number, chosen=chosen), " ", shown, class_="named")


def shortened(name: str, most: int) -> str:
    """A model's name for a narrow place: without what stands before its last `/`, then cut."""
    if len(name) > most:
        name = name.rpartition("/")[2] or name
    return name if len(name) <= most else name[: most - 1] + "…"


def cut(text: str, most: int) -> tuple[str, Markup | None]:
    """At most so many characters, and fewer of those that take more room in the page than any
    language's: an answer full of controls is not to push the others out."""
    shown = text[:most]
    size = len(escaped(shown).encode())
    if size > MOST_BYTES * most:
        shown = shown[: len(shown) * MOST_BYTES * most // size]
    if len(shown) == len(text):
        return text, None
    rest = _(" … and {count} more characters", count=len(text) - len(shown))
    return shown, tag("span", rest, class_="more")

"""Texts in which ⟦…⟧ marks what is to be found."""

from collections.abc import Iterable

from llmctl.privacy.detect import find

Span = tuple[str, str]


def read(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without marks, and the places that they marked."""
    plain, spans, start = "", [], 0
    for sign in text:
        if sign == "⟦":
            start = len(plain)
        elif sign == "⟧":
            spans.append((start, len(plain)))
        else:
            plain += sign
    return plain, spans


def found(text: str) -> list[tuple[str, int, int]]:
    return [(one.type, one.start, one.end) for one in find(text)]


def check(text: str, kind: str) -> None:
    """Everything that is marked is found as `kind`, and nothing else is found at all."""
    plain, spans = read(text)

    assert found(plain) == [(kind, *span) for span in spans], plain


def spread(templates: str, values: Iterable[str]) -> list[str]:
    """Each line of the templates with each value in place of its @."""
    lines = [
        line.replace("\\n", "\n").replace("\\t", "\t") for line in templates.splitlines() if line
    ]
    return [line.replace("@", f"⟦{value}⟧") for line in lines for value in values]


def plain(templates: str, values: Iterable[str] = ("",)) -> list[str]:
    """The same without marks: nothing is to be found."""
    return [one.replace("⟦", "").replace("⟧", "") for one in spread(templates, values)]

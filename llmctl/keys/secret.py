"""A key that shows itself to nobody."""

import base64
from collections.abc import Iterable
from typing import Any

TELLING = 12  # so many characters in a row of a long key are too many to be shown


class Secret:
    """A key. Shows itself to nobody but `reveal`."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        return self._value

    def mask(self, text: str) -> str:
        """`text` with the key, plain or in base64, replaced by three asterisks; so is a piece a
        server shows of it, when the piece is long enough to matter."""
        for form in (self._value, base64.b64encode(self._value.encode()).decode()):
            text = _masked(text, form)
        return text

    def __repr__(self) -> str:
        return f"Secret(***, {self.source!r})"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


def _masked(text: str, form: str) -> str:
    text = text.replace(form, "***")
    if len(form) < 2 * TELLING:
        return text
    for start in range(len(form) - TELLING + 1):
        end = start + TELLING
        while form[start:end] in text:
            while end < len(form) and form[start : end + 1] in text:
                end += 1
            text = text.replace(form[start:end], "***")
            end = start + TELLING
    return text


def masked(text: str, secret: Secret | None, tokens: Iterable[str | None]) -> str:
    """`text` without the key, and without the tokens that were had for it."""
    text = secret.mask(text) if secret else text
    for token in tokens:
        if token:
            text = Secret(token, "exchange").mask(text)
    return text

"""Puts back what placeholders stand for: in whole texts, in JSON, and in text that comes in
pieces."""

import json
import re
from collections.abc import Collection, Mapping

from llmctl.privacy.context import Context
from llmctl.privacy.placeholders import LONGEST, SHAPE, name_of

# What may become a placeholder when more text comes.
_BEGUN = re.compile(
    r'(?:"|"?\\{1,2}|"?\\{0,2}\[(?:[A-Z]{1,16}(?:\\{0,2}_?|\\{0,2}_[1-9][0-9]{0,8}\\{0,2}))?)\Z',
    re.IGNORECASE | re.ASCII,
)


class Restorer:
    """`originals` says what each name (`EMAIL_1`) stands for, unknown ones stay as they are;
    `numbers` are the names whose quotes are taken away with them."""

    def __init__(self, originals: Mapping[str, str], numbers: Collection[str] = ()) -> None:
        self._originals = originals
        self._numbers = numbers

    def text(self, text: str, quoted: bool | None = None) -> str:
        """`text` with the originals in it; `quoted` says that it is JSON, in whose strings they
        have to be escaped. None: it is where they stand in a string of what looks like JSON."""
        return self.piece(text, quoted, Context())

    def piece(self, text: str, quoted: bool | None, context: Context) -> str:
        """The same for a piece of a text; `context` goes on from the piece before."""
        if "[" not in text:
            if quoted is None:
                context.read(text)
            return text
        place = 0

        def original(match: re.Match[str]) -> str:
            nonlocal place
            name, written = name_of(match), match[0]
            opened, closed = match["quote"] or "", '"' if written.endswith('"') else ""
            is_json = bool(quoted)
            if quoted is None:
                context.read(text[place : match.start() + len(opened)])
                place = match.start() + len(opened)
                is_json = context.in_string
            found = self._originals.get(name)
            if found is None:
                return written
            if is_json:
                found = json.dumps(found, ensure_ascii=False)[1:-1]
            if opened and closed and name in self._numbers:
                return found
            return f"{opened}{found}{closed}"

        restored = SHAPE.sub(original, text)
        if quoted is None:
            context.read(text[place:])
        return restored

    def stream(self, quoted: bool | None = None) -> "Stream":
        return Stream(self, quoted)


class Stream:
    """One text that comes in pieces. Held back is only what may be the beginning of a placeholder,
    LONGEST characters at most; all pieces together are what `Restorer.text` makes of the whole."""

    def __init__(self, restorer: Restorer, quoted: bool | None) -> None:
        self._restorer = restorer
        self._quoted = quoted
        self._context = Context()
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be shown by now."""
        text = self._held + text
        at = _settled(text)
        self._held = text[at:]
        return self._restorer.piece(text[:at], self._quoted, self._context)

    def end(self) -> str:
        """What was held back: nothing more comes."""
        held, self._held = self._held, ""
        return self._restorer.piece(held, self._quoted, self._context)


def _settled(text: str) -> int:
    """Up to where the text stays what it is, whatever comes after it."""
    whole = 0
    if "[" in text:
        for match in SHAPE.finditer(text):
            whole = match.end()
            if whole == len(text) and match["quote"] and text[-1] != '"':
                return match.start()  # the other quote may come
    begun = _BEGUN.search(text, max(whole, len(text) - LONGEST))
    return begun.start() if begun else len(text)

"""Text to bytes for a stream: UTF-8 quickly, anything else with what it lacks replaced."""

import codecs

from llmctl.errors import UsageError
from llmctl.messages import _


def known(name: str) -> str:
    """Python's own name of a text encoding; raises UsageError for anything else."""
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # refuses those that turn bytes into bytes, such as hex
    except (LookupError, UnicodeError, ValueError):
        raise UsageError(
            _("no such encoding: {name}", name=name),
            hint=_("some that exist: utf-8, utf-16, cp1251, cp866, koi8-r, latin-1"),
        ) from None
    return found


def mended(text: str) -> str:
    """`text` without lone surrogates: a pair that came as two escapes becomes its character, half
    a pair U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Encoder:
    """Encodes a text that comes in pieces; never fails.

    A surrogate pair may be cut between two pieces. `missing` is the error handler of `codecs` for
    what cannot be expressed; `lossy` turns true once "replace" was needed.
    """

    def __init__(self, name: str, missing: str = "replace") -> None:
        self.name = known(name)
        self.lossy = False
        self._missing = missing
        self._half = ""
        self._plain = self.name == "utf-8"
        self._codec = None if self._plain else codecs.getincrementalencoder(self.name)("strict")

    @property
    def unicode(self) -> bool:
        """Whether every character can be expressed."""
        return self.name.startswith("utf-")

    def encode(self, text: str) -> bytes:
        if self._plain and not self._half:
            try:
                return text.encode()
            except UnicodeEncodeError:
                pass
        return self._carefully(text)

    def _carefully(self, text: str) -> bytes:
        text = self._half + text
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        if self._codec is None:
            return mended(text).encode()
        try:
            return self._codec.encode(text)
        except UnicodeEncodeError:
            text = mended(text)
        try:
            return self._codec.encode(text)
        except UnicodeEncodeError:
            self.lossy = self._missing == "replace"
            self._codec.errors = self._missing
            return self._codec.encode(text)

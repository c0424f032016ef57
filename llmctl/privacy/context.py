"""Where in a text the strings of JSON are."""

import re

# What decides where strings begin and end: every sign but letters and spaces within a line.
_SIGNS = re.compile(r"[\"\\{}\[\]\n]|[^\s\"\\{}\[\]]+")


class Context:
    """Whether a place in a text is inside a string of JSON, as the text is read on.

    JSON is what begins a line with a bracket and goes on like an object or a list, up to where the
    brackets close: all of an answer, or what stands between the fences of Markdown.
    """

    def __init__(self) -> None:
        self.in_string = False
        self._fresh = True  # nothing but spaces stands on the line so far
        self._opened = ""  # a bracket of which it is not known yet whether it begins JSON
        self._depth = 0
        self._escaped = False

    def read(self, text: str) -> None:
        for match in _SIGNS.finditer(text):
            sign = match[0][0]
            if self._escaped:
                self._escaped = False
            elif self.in_string:
                self._escaped = sign == "\\"
                self.in_string = sign != '"'
            elif self._opened:
                self._begin(sign)
            elif self._depth:
                self._inside(sign)
            elif sign == "\n":
                self._fresh = True
            elif self._fresh and not sign.isspace():
                self._fresh = False
                self._opened = sign if sign in "{[" else ""

    def _begin(self, sign: str) -> None:
        if sign.isspace():
            return
        goes_on = sign in ('"}' if self._opened == "{" else '"{[]')
        self._opened, self._depth = "", int(goes_on)
        if goes_on:
            self._inside(sign)

    def _inside(self, sign: str) -> None:
        self.in_string = sign == '"'
        self._depth += (sign in "{[") - (sign in "}]")

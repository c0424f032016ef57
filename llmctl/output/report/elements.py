"""Markup that is escaped by construction: there is no way to put text into it that is read as tags.

A `Markup` is made by `tag()` alone. Whatever else is given to it is text: `&`, `<` and `>` become
entities, and characters that would reorder or hide what stands beside them become visible. Where
a `Markup` is joined or formatted as a string, what comes out is a plain `str` again, which is
escaped a second time rather than trusted once too often.
"""

import re
from collections.abc import Iterable
from functools import cache

from llmctl.output.terminal import safe

VOID = frozenset({"br", "col", "hr", "meta", "wbr", "path", "rect", "line", "circle", "polyline"})
_SVG_VOID = frozenset({"path", "rect", "line", "circle", "polyline"})
# Elements that run, fetch or send something, or whose content is not read as text and tags.
FORBIDDEN = frozenset(
    {
        *("script", "style", "iframe", "object", "embed", "link", "base", "form", "input", "img"),
        *("audio", "video", "source", "image", "use", "foreignObject", "template", "noscript"),
        *("textarea", "plaintext", "xmp", "animate", "set", "frame", "frameset"),
    }
)
# Attributes that run or fetch something; `href` may point into the page alone.
_FETCHING = frozenset({"src", "srcset", "srcdoc", "action", "formaction", "data", "poster", "ping"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[a-z0-9]+)*")
_SURROGATES = re.compile("[\ud800-\udfff]")


class Markup(str):
    """Text that is markup already. To be made in this module and in `page.py` only."""

    __slots__ = ()


Child = Markup | str | int | None | Iterable["Child"]
Value = str | int | float | None


def harmless(text: str) -> str:
    """`text` without characters that drive something: line ends are LF, controls and marks of
    direction are shown as stand-ins, halves of characters as what is no character."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return _SURROGATES.sub("\ufffd", safe(text))


def escaped(text: str) -> Markup:
    """`text` as the content of an element."""
    plain = harmless(text).replace("&", "&amp;")
    return Markup(plain.replace("<", "&lt;").replace(">", "&gt;"))


def tag(name: str, /, *children: Child, **attributes: Value | bool) -> Markup:
    """The element `name` around its children. In names of attributes `_` stands for `-`, and one
    at the end for nothing (`class_`); True is an attribute without a value, None and False none.

    Raises ValueError for elements and attributes that could run or fetch something.
    """
    _checked(name)
    pieces = ["<", name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        pieces.append(" ")
        pieces.append(_attribute(key))
        if value is not True:
            if key == "href" and not str(value).startswith("#"):
                raise ValueError(f"a link out of the page: {value!r}")
            pieces.append(f'="{_quoted(value)}"')
    if name in VOID:
        pieces.append("/>" if name in _SVG_VOID else ">")
        return Markup("".join(pieces))
    pieces.append(">")
    _add(pieces, children)
    pieces.append(f"</{name}>")
    return Markup("".join(pieces))


def joined(*children: Child) -> Markup:
    """The children one after the other."""
    pieces: list[str] = []
    _add(pieces, children)
    return Markup("".join(pieces))


def said(text: str, /, **attributes: Value | bool) -> Markup:
    """What others wrote, on one line and isolated: its direction does not reach its neighbours."""
    return tag("bdi", text.replace("\n", " "), **attributes)


def _add(pieces: list[str], children: Iterable[Child]) -> None:
    for child in children:
        if isinstance(child, Markup):
            pieces.append(child)
        elif isinstance(child, str):
            pieces.append(escaped(child))
        elif isinstance(child, int):
            pieces.append(str(child))
        elif child is not None:
            _add(pieces, child)


def _quoted(value: str | int | float) -> str:
    if isinstance(value, str):
        return escaped(value).replace('"', "&quot;").replace("'", "&#39;")
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _checked(name: str) -> None:
    if name in FORBIDDEN or not _NAME.fullmatch(name):
        raise ValueError(f"no element for a report: {name!r}")


@cache
def _attribute(key: str) -> str:
    name = key.removesuffix("_").replace("_", "-")
    lower = name.lower()
    if not _NAME.fullmatch(name) or lower.startswith("on") or lower == "style":
        raise ValueError(f"no attribute for a report: {key!r}")
    if lower in _FETCHING or lower.startswith("xlink"):
        raise ValueError(f"an attribute that fetches: {key!r}")
    return name

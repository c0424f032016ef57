"""What the standard streams are, and text made harmless for a terminal.

What a model or a server wrote is data. On a terminal some of its characters are commands: escape
sequences that set the clipboard or the title, C1 controls, carriage returns that overwrite what
was shown, bidirectional controls that show text in another order than it runs. `safe` swaps each
for something visible; it looks at single characters, so a stream may be cut anywhere.
"""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import NamedTuple

FALLBACK_WIDTH = 80
FALLBACK_HEIGHT = 24

# C0 without \t and \n, DEL, C1; the Arabic letter mark, directional marks, line and paragraph
# separators, embeddings and overrides, isolates and the deprecated format controls; interlinear
# annotation; the tags block. Zero-width joiners and variation selectors stay: emoji need them.
HAZARDS = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"
    "\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u206f\\ufff9-\\ufffb"
    "\\U000e0000-\\U000e007f"
)
_CONTROL_PICTURES = 0x2400  # ␀ and, in order, a picture of each C0 control
_DELETE_PICTURE = "\u2421"


def safe(text: str) -> str:
    """`text` with every character that could drive a terminal replaced by a visible stand-in.

    C0 controls and DEL become their control pictures (ESC is ␛), all others `<U+XXXX>`. Newline
    and tab stay.
    """
    # Every hazard is unprintable by Unicode's categories: this settles most tokens at once.
    if text.isprintable():
        return text
    return _hazard().sub(_stand_in, text)


def safe_line(text: str) -> str:
    """`safe` for text that must stay on one line: line ends and tabs become spaces."""
    if text.isprintable():
        return text
    return safe(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


@cache
def _hazard() -> re.Pattern[str]:
    """Compiled when first needed: a pipe never does."""
    return re.compile(f"[{HAZARDS}]")


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    return _DELETE_PICTURE if code == 0x7F else f"<U+{code:04X}>"


# Named tuples are quicker to define than data classes, and every start defines these.
class Screen(NamedTuple):
    """One output stream: `colour` may be wanted off a terminal too, `cursor` says that the cursor
    can be moved. Width and height are in columns and rows."""

    is_tty: bool = False
    colour: bool = False
    cursor: bool = False
    width: int = FALLBACK_WIDTH
    height: int = FALLBACK_HEIGHT


class Terminal(NamedTuple):
    """The three standard streams as they were when the program started."""

    stdin_is_tty: bool = False
    stdout: Screen = Screen()
    stderr: Screen = Screen()


def detect(*, no_color: bool = False, environ: Mapping[str, str] = os.environ) -> Terminal:
    """Look at the standard streams and at NO_COLOR, FORCE_COLOR, TERM and COLUMNS.

    `no_color` (the flag) and a NO_COLOR that is not empty beat FORCE_COLOR, which beats the rest.
    """
    return Terminal(
        stdin_is_tty=_is_tty(sys.stdin),
        stdout=_screen(sys.stdout, no_color, environ),
        stderr=_screen(sys.stderr, no_color, environ),
    )


def size(stream: object, environ: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Columns and rows of the terminal behind `stream` at this moment."""
    width = height = 0
    with suppress(OSError, ValueError, AttributeError):  # no terminal, closed, none
        width, height = os.get_terminal_size(stream.fileno())  # type: ignore[attr-defined]
    asked = environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit():
        width = int(asked)
    return width or FALLBACK_WIDTH, height or FALLBACK_HEIGHT


def _screen(stream: object, no_color: bool, environ: Mapping[str, str]) -> Screen:
    is_tty = _is_tty(stream)
    cursor = is_tty and environ.get("TERM") != "dumb"
    if no_color or environ.get("NO_COLOR"):
        colour = False
    else:
        colour = bool(environ.get("FORCE_COLOR")) or cursor
    width, height = size(stream, environ)
    return Screen(is_tty, colour, cursor, width, height)


def _is_tty(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # None or closed
        return False

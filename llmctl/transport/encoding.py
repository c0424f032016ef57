"""The body of a request: JSON in one piece, or with files in it that are read on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

from llmctl.errors import UsageError
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.transport.content import Content
    from llmctl.types import Json


def encoded(
    body: Mapping[str, Json], report: Callable[[int], None] | None = None
) -> bytes | Content:
    """A body as UTF-8 JSON; raises UsageError for half characters, which have no UTF-8, and for
    numbers that JSON does not have."""
    try:
        return _encoded(body, report)
    except UnicodeEncodeError:
        raise UsageError(
            _("the prompt holds half a character (a lone surrogate), which cannot be sent"),
            hint=_("name its encoding with --encoding"),
        ) from None
    except ValueError:
        raise UsageError(
            _("the request holds a number that JSON does not have (NaN or Infinity)"),
            hint=_("give a plain number, such as --temperature 0.7"),
        ) from None


def _encoded(body: Mapping[str, Json], report: Callable[[int], None] | None) -> bytes | Content:
    try:
        text = _text(body)
    except HasFiles:
        from llmctl.transport.content import content_of_json

        return content_of_json(body, report)
    return text.encode("utf-8")


class HasFiles(Exception):
    """There is more in a body than JSON."""


def has_files(_value: object) -> NoReturn:
    raise HasFiles


_text = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=has_files
).encode

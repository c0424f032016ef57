"""Attached addresses (`-a https://...`): what they are, as far as they tell."""

import re
from urllib.parse import unquote, urlsplit

from llmctl.cli.attached_type import Forced
from llmctl.engine.kinds import ARCHIVE, TEXT, kind_of, shown_address, type_by_name
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Media

# What an address that is to be fetched is until it was.
NOT_FETCHED = "application/octet-stream"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_address(given: str) -> bool:
    return _URL.match(given) is not None


def path_of(url: str) -> str:
    """The path of an address, by whose end what is there has its name."""
    try:
        return unquote(urlsplit(url).path).rstrip("/") or "page"
    except ValueError:
        return "page"


def address_part(url: str, name: str, forced: Forced | None, *, fetch: bool) -> Media:
    """What is behind an address, to be fetched by the provider, or by us later. Raises UsageError
    where neither the address nor the user says what it is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            _("{url} is no address that can be attached", url=shown_address(url)),
            hint=_("it begins with https:// or http://"),
        )
    if fetch:
        return Media(NOT_FETCHED, url=url, name=name)
    named = type_by_name(name)
    kind = forced.kind if forced is not None else kind_of(named or "")
    if kind == TEXT:
        raise UsageError(
            _("{url} is text, which providers do not fetch", url=shown_address(url)),
            hint=_("add --fetch, and llmctl gets it from there and sends it"),
        )
    if forced is not None and (media_type := forced.media_type):
        return Media(media_type, url=url, name=name)
    if forced is None and kind == ARCHIVE:
        kind = None
    if named is None or kind is None or kind_of(named) != kind:
        raise UsageError(
            _("what {url} is cannot be told by its name", url=shown_address(url)),
            hint=_("say it with --attachment-type image/png, or have it fetched with --fetch"),
        )
    return Media(named, url=url, name=name)

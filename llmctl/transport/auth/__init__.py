"""Keys that are exchanged for tokens: one `httpx.Auth` flow a kind.

A flow yields the requests that fetch and renew a token, and the request itself with the token in
it; the lane sends all of them over the same connection rules (TLS, proxy, egress guard).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.types import NOTHING
from llmctl.values import dataclass, field

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a flow has to go by: the key (None where the environment grants access by itself), the
    further addresses of the card with the user's own on top, the values of the card's settings, and
    the private folder in which tokens are kept for all processes."""

    provider: str
    secret: str | None = field(repr=False)
    base_url: str
    cache: Path
    urls: Mapping[str, str] = NOTHING
    settings: Mapping[str, str] = NOTHING


def _loaded(kind: str, grant: Grant) -> httpx.Auth:
    made: httpx.Auth = import_module(f"llmctl.transport.auth.{kind}").AUTH(grant)
    return made


# A new kind is one name here (and in `cards.Auth.kind`) and a module of that name with an `AUTH`.
AUTHS: Mapping[str, Callable[[Grant], httpx.Auth]] = {
    kind: partial(_loaded, kind) for kind in ("gigachat", "yandex")
}

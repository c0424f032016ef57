"""The note that a price is old, at most once a day on a machine."""

from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from llmctl.cards import Source
    from llmctl.engine.route import Route

STAMP = "stale-prices-"


def aged(route: "Route", at: "datetime | None" = None) -> "Iterator[Notice]":
    """A note where the price of the model is one that is no longer relied on at that moment of UTC
    (now), and nothing was said of prices today."""
    if route.card.kind != "api" or route.model_card is None or not route.model_card.prices:
        return
    from datetime import UTC, datetime

    at = at or datetime.now(UTC)
    source = _stale(route, at)
    if source is not None and _first_of(at.date().isoformat()):
        yield Notice(
            "stale-price",
            _("the prices of {name} were checked on {date} and may have changed; look for newer"
              " ones: llmctl cards update", name=route.card.name, date=source.checked),
        )  # fmt: skip


def _stale(route: "Route", at: "datetime") -> "Source | None":
    """The source of the price in force, should it be too old."""
    from llmctl.expiry import is_stale

    assert route.model_card is not None  # noqa: S101  the caller has looked
    old = [one for one in route.model_card.prices if is_stale(one.source, at.date())]
    if not old:
        return None  # most runs end here, and load no more
    from llmctl.catalogue import is_own_host
    from llmctl.cost.prices import row_at

    row = row_at(route.model_card, at, route.quirks.settings)
    if row not in old or not (route.inherited or is_own_host(route.card, route.target.base_url)):
        return None
    return row.source


def _first_of(day: str) -> bool:
    """Whether nobody has asked for this day before. Where that cannot be kept, it is as if somebody
    had: a line in every run of a script would be worse than none."""
    from contextlib import suppress

    from llmctl.errors import LlmctlError
    from llmctl.files import create_private, private_dir
    from llmctl.settings.places import paths

    try:
        folder = private_dir(paths().cache / "told")
        if not create_private(folder / f"{STAMP}{day}"):
            return False
        for earlier in folder.glob(f"{STAMP}*"):
            if earlier.name != f"{STAMP}{day}":
                with suppress(OSError):
                    earlier.unlink()
    except (LlmctlError, OSError):
        return False
    return True

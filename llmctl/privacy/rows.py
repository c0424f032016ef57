"""Which facts of which card hold: the row for an account's tier and settings, and what a card that
comes with llmctl says of a host, whatever another card claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl import catalogue, resources
from llmctl.privacy.levels import distance
from llmctl.settings import ProviderSettings
from llmctl.structure import build
from llmctl.types import Level
from llmctl.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmctl.cards import Card, Model, Privacy
    from llmctl.settings import Settings


def rows_of(card: Card, own: ProviderSettings, model: Model | None) -> list[Privacy]:
    """The rows that may hold for an account: more than one where its tier is not stated."""
    tier = own.extra.get("tier")
    rows = [
        one
        for one in card.privacy
        if (one.tier is None or tier in (None, one.tier)) and _speaks_of(one, model)
    ]
    if any(one.when for one in rows):
        stated = {one.name: catalogue.setting_of(card, own, one) for one in card.settings}
        rows = [one for one in rows if one.when.items() <= stated.items()]
    return rows


def _speaks_of(row: Privacy, model: Model | None) -> bool:
    if not row.models:
        return True
    from fnmatch import fnmatchcase

    return model is not None and any(fnmatchcase(model.id, one) for one in row.models)


def row_of(card: Card, own: ProviderSettings, model: Model | None) -> Privacy | None:
    """The row that counts: without a stated tier the worst of them."""
    return max(rows_of(card, own, model), key=lambda row: row.level.rank, default=None)


def shipped_bound(
    card: Card, model: Model | None, base_url: str, settings: Settings
) -> tuple[Card, Privacy] | None:
    """The card that comes with llmctl for this host and its facts that hold, where the host is
    reached under another name: by a card of the user's, or with facts that were inherited."""
    root = catalogue.lineage(card.id, settings)[-1]
    if not catalogue.is_users(root) and catalogue.is_own_host(card, base_url):
        return None
    if distance(base_url) is not Level.UNKNOWN:
        return None
    own = settings.providers.get(card.id, ProviderSettings())
    for one in shipped_at(base_url):
        if one.kind == "api" and one.id != (None if catalogue.is_users(root) else root):
            known = {setting.name for setting in one.settings}
            extra = {name: value for name, value in own.extra.items() if name in known}
            row = row_of(one, replace(own, extra=extra), model)
            if row is not None:
                return one, row
    return None


def shipped_at(base_url: str) -> Iterator[Card]:
    """The shipped cards one of whose hosts this is. A file that does not even hold the last two
    labels of the name is not read as a card."""
    from llmctl.cards import Card

    host = catalogue.host_of(base_url)
    ending = ".".join(host.split(".")[-2:])
    for file in resources.providers().iterdir():
        if not file.name.endswith(".toml") or ending not in file.read_text("utf-8"):
            continue
        found = build(Card, catalogue.shipped_table(file.name.removesuffix(".toml")))
        if catalogue.is_own_host(found, base_url):
            yield found

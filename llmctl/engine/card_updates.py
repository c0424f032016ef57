"""Refreshing cards: what came is checked as shipped cards are, compared with what is there, and put
in its place in one step."""

import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from llmctl import catalogue, refreshed
from llmctl.cards import Card
from llmctl.engine.card_changes import Change, changes
from llmctl.engine.card_sources import LONGEST_CARD
from llmctl.engine.meter import utc_now
from llmctl.errors import ConfigError
from llmctl.files import io_failed, lock, private_dir, write_private
from llmctl.messages import _
from llmctl.settings.places import paths
from llmctl.structure import Misfit, checked
from llmctl.types import Json
from llmctl.values import dataclass

LOCK_S = 10.0
# Characters of one line, which ours are far from: a key of very many parts takes time by the
# square of their number.
LONGEST_LINE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A card that would change. `before` and `now` are the newest days on which its facts were
    checked; `hidden` says that a card of the user's own takes its place anyway."""

    id: str
    name: str
    text: bytes
    changes: tuple[Change, ...]
    is_new: bool
    same_as_shipped: bool
    before: str | None
    now: str | None
    hidden: bool

    @property
    def is_older(self) -> bool:
        return self.before is not None and self.now is not None and self.now < self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`updates` are the cards that would change, `unfit` those that this version cannot use, by
    id, each with the reason; `same` is how many are as they are here."""

    updates: tuple[Update, ...]
    unfit: Mapping[str, str]
    same: int


def planned(found: Mapping[str, bytes]) -> Plan:
    """What would come of these texts. Raises ConfigError where none of them is a card of this
    version."""
    updates, unfit, same = [], {}, 0
    shipped = catalogue.shipped_ids()
    for provider, text in sorted(found.items()):
        try:
            table, card = read(provider, text)
        except Misfit as misfit:
            unfit[provider] = ".".join(map(str, misfit.path)) + ": " * bool(misfit.path)
            unfit[provider] += misfit.reason
            continue
        origin = catalogue.shipped_table(provider) if provider in shipped else None
        here = current(provider, origin)
        if here == table:
            same += 1
            continue
        updates.append(
            Update(
                id=provider,
                name=card.name,
                text=text,
                changes=tuple(changes(here or {}, table)),
                is_new=here is None,
                same_as_shipped=origin == table,
                before=newest(here),
                now=newest(table),
                hidden=provider in catalogue.own_cards(),
            )
        )
    if unfit and not updates and not same:
        provider, reason = next(iter(unfit.items()))
        raise ConfigError(
            _("{provider}.toml is no card of this version: {reason}", provider=provider,
              reason=reason),
            hint=_("a newer card may want a newer llmctl: pip install --upgrade llmctl-cli"),
        )  # fmt: skip
    return Plan(updates=tuple(updates), unfit=unfit, same=same)


def read(provider: str, text: bytes) -> tuple[Json, Card]:
    """The table and the card, checked as a card of the user's is; raises Misfit."""
    if len(text) > LONGEST_CARD:
        raise Misfit((), _("it is longer than a card may be"))
    if max(map(len, text.split(b"\n"))) > LONGEST_LINE:
        raise Misfit((), _("a line of it is longer than those of a card may be"))
    try:
        table = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Misfit((), str(error) or type(error).__name__) from None
    card = checked(Card, table, paths().cache)
    if card.id != provider:
        raise Misfit(("id",), _("its id {id} is not the file's name", id=card.id))
    for fault in catalogue.faults(card):
        raise Misfit((), fault)
    return table, card


def current(provider: str, origin: Json) -> Json:
    """The table of the card that is in force beside the user's own; a damaged one counts as not
    refreshed, since it is about to be replaced."""
    if name := refreshed.files().get(provider):
        try:
            return tomllib.loads((refreshed.folder() / name).read_bytes().decode("utf-8"))
        except (OSError, ValueError, RecursionError):
            pass
    return origin


def newest(table: Json) -> str | None:
    """The newest day on which something in a card was checked."""
    days: list[str] = []

    def look(value: Json) -> None:
        if isinstance(value, dict):
            if isinstance(day := value.get("checked"), str):
                days.append(day)
            value = list(value.values())
        for one in value if isinstance(value, list) else ():
            look(one)

    look(table)
    return max(days, default=None)


def store(updates: Iterable[Update], source: str, *, given: bool) -> None:
    """Put the cards in their place, all of them or none. Raises IoFailed."""
    root, place = private_dir(refreshed.root()), refreshed.folder()
    with lock(root / ".lock", LOCK_S):
        refreshed.forget()
        fresh = private_dir(root / f".{os.urandom(8).hex()}")
        try:
            cards = _kept(fresh)
            for one in updates:
                _dropped(fresh, one.id)
                cards.pop(one.id, None)
                if one.same_as_shipped:
                    continue
                ending = refreshed.GIVEN if given else refreshed.ENDING
                write_private(fresh / f"{one.id}{ending}", one.text)
                cards[one.id] = {"at": utc_now(), "source": source}
            record = json.dumps({"version": 1, "cards": cards}, ensure_ascii=False, indent=1)
            write_private(fresh / refreshed.RECORD, record.encode())
            _exchanged(fresh, place)
        except OSError as error:
            raise io_failed(error, place) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            refreshed.forget()


def _kept(fresh: Path) -> dict[str, Json]:
    """Copy the refreshed cards that are there; what is recorded of each."""
    origins = refreshed.origins()
    for name in refreshed.files().values():
        write_private(fresh / name, (refreshed.folder() / name).read_bytes())
    return {name: {"at": one.at, "source": one.source} for name, one in origins.items()}


def _dropped(folder: Path, provider: str) -> None:
    for ending in (refreshed.ENDING, refreshed.GIVEN):
        (folder / f"{provider}{ending}").unlink(missing_ok=True)


def _exchanged(fresh: Path, place: Path) -> None:
    """Whoever reads in between finds no refreshed card, and takes the shipped one."""
    old = fresh.with_name(f"{fresh.name}.old")
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    for left in place.parent.glob(".*.old"):  # by a process that was killed here
        shutil.rmtree(left, ignore_errors=True)


def reset() -> int:
    """Take away every refreshed card, those of other versions too; how many of this one. Raises
    IoFailed."""
    root = refreshed.root()
    if not root.is_dir():
        return 0
    with lock(root / ".lock", LOCK_S):
        refreshed.forget()
        count = len(refreshed.files())
        try:
            for one in root.iterdir():
                if one.is_dir():
                    shutil.rmtree(one)
        except OSError as error:
            raise io_failed(error, root) from error
        finally:
            refreshed.forget()
    return count

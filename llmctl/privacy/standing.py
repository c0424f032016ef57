"""What becomes of a call: the facts of the card for this account, what is sent beside the prompt,
and what the user says of their own contract, taken together.

Whatever is not known counts as the worst, and nothing but a control that is really sent or the
user's word about their contract makes anything better than the card says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl import catalogue
from llmctl.messages import _
from llmctl.privacy.contract import attested
from llmctl.privacy.controls import among
from llmctl.privacy.features import strange, strange_tools, used
from llmctl.privacy.levels import (
    HERE,
    distance,
    is_inside,
    one_step_worse,
    reached,
    worse,
)
from llmctl.privacy.rows import row_of, rows_of, shipped_bound
from llmctl.types import Level
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from datetime import date

    from llmctl.cards import Card, Model, Privacy, Review, Source, Yes
    from llmctl.privacy.controls import Sent
    from llmctl.settings import ProviderSettings, Settings

REVIEWS = ("no", "flagged", "yes", "unknown")
TRAINS = ("no", "yes", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`row` is what the card says where that holds; all else is what it comes to. `strange` are the
    options that made it unknown, `why` and `notes` are sentences."""

    level: Level
    trains: Yes = "unknown"
    retention_days: int | None = None
    human_review: Review = "unknown"
    regions: tuple[str, ...] = ()
    row: Privacy | None = None
    attested: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        return self.level in HERE

    def saying(self, why: str, *, note: bool = False) -> Standing:
        """The same with one more sentence."""
        notes = (*self.notes, why) if note else self.notes
        return replace(self, why=(*self.why, why), notes=notes)

    def lost(self, why: str) -> Standing:
        """The same with somebody of whom nothing is known, whatever was known before."""
        lost = Standing(level=Level.UNKNOWN, row=self.row, why=self.why, notes=self.notes)
        return replace(lost, strange=self.strange).saying(why)


def standing(
    card: Card,
    model: Model | None,
    own: ProviderSettings,
    base_url: str,
    settings: Settings,
    sent: Sent,
    *,
    elsewhere: bool = False,
    today: date | None = None,
) -> Standing:
    """What becomes of a call with `sent` in it. `elsewhere` says that a local server would only
    pass it on to a cloud. `today` is the day of UTC by default."""
    if elsewhere:
        return Standing(
            level=Level.UNKNOWN,
            why=(_("its server passes this model on to a cloud, of which nothing is known"),),
        )
    bound = None
    if card.kind != "api":
        near = _near(card, own, base_url, settings)
        if near.is_here:
            return _with_pictures(_with_strangers(near, strange_tools(sent)), sent)
    else:
        bound = shipped_bound(card, model, base_url, settings)
        near = _stated(card, model, own, base_url, settings, sent, today, bound)
    if own.attest is not None:
        near = attested(near, own, base_url, card, today or utc_today())
    for source, row in ((card, near.row), *((bound,) if bound else ())):
        near = _with_features(near, row, sent) if row else near
        near = _with_strangers(near, strange(source, sent))
    near = _with_pictures(near, sent)
    in_clear = urlsplit(base_url).scheme == "http"
    if in_clear and reached(base_url, own, settings) is Level.UNKNOWN:
        near = near.lost(_("it is sent without encryption, readable by everybody on the way"))
    if near.level.rank < Level.ZERO_RETENTION.rank:
        near = replace(near, level=Level.ZERO_RETENTION)
    return near


def _near(card: Card, own: ProviderSettings, base_url: str, settings: Settings) -> Standing:
    """Of a model in this process, or on a server of the user's own by its address."""
    inside = is_inside(card, base_url)
    level = Level.DEVICE if inside else reached(base_url, own, settings)
    host = urlsplit(base_url).hostname or base_url
    if level not in HERE:
        why = _("it goes to {host}, which is not known to be a machine of yours", host=host)
        return Standing(level=level, why=(why,))
    return Standing(
        level=level,
        trains="no",
        retention_days=0,
        human_review="no",
        row=row_of(card, own, None),
        why=(
            _("the model runs inside this process")
            if inside
            else _("the server is on this machine ({host})", host=host)
            if level is Level.DEVICE
            else _("the server is in your own network ({host})", host=host),
        ),
    )


def _stated(
    card: Card,
    model: Model | None,
    own: ProviderSettings,
    base_url: str,
    settings: Settings,
    sent: Sent,
    today: date | None,
    bound: tuple[Card, Privacy] | None,
) -> Standing:
    """Of an API: the facts of its card, with the controls that are sent. The shipped card of the
    host (`bound`) has a say by its own controls, as they stand in the request: what another card
    sends under their names is none of them."""
    host = urlsplit(base_url).hostname or base_url
    at_home = catalogue.is_own_host(card, base_url)
    if not at_home and own.facts is None:
        return Standing(
            level=Level.UNKNOWN,
            why=(_("{host} is not a host of {name}, so nothing is known of it", host=host,
                   name=card.name),),
        )  # fmt: skip
    row = row_of(card, own, model)
    if row is None:
        return Standing(level=Level.UNKNOWN, why=(_("its card states nothing"),))
    found = _controlled(row, sent.controls, host)
    if len(rows_of(card, own, model)) > 1:
        found = found.saying(_("your settings do not say which tier is yours: the worst counts"))
    if not at_home:
        found = found.saying(
            _("your settings say that the facts of {name} hold at {host}", name=card.name,
              host=host)
        )  # fmt: skip
    if any(catalogue.is_users(name) for name in catalogue.lineage(card.id, settings)):
        found = found.saying(_("this is what your own card claims"))
    if bound is not None:
        shipped, facts = bound
        there = _controlled(facts, among(shipped.controls, sent), host)
        found = _bounded(found, there, shipped.name)
    return _aged(found, row.source, today)


def _controlled(row: Privacy, controls: tuple[str, ...], host: str) -> Standing:
    """A row as it holds at a host, with what holds instead for each control that is sent."""
    found = Standing(
        level=row.level,
        trains=row.trains,
        retention_days=row.retention_days,
        human_review=row.human_review,
        regions=row.regions_at.get(host.lower(), row.regions),
        row=row,
        why=(_("by its terms{tier} it is {level}", level=row.level.value,
               tier=_(" for the tier {name}", name=row.tier) if row.tier else ""),),
    )  # fmt: skip
    for name in controls:
        effect = row.controls.get(name)
        if effect is None or effect.level.rank > found.level.rank:
            continue
        days = effect.retention_days
        found = replace(
            found,
            level=effect.level,
            trains=effect.trains or found.trains,
            retention_days=found.retention_days if days is None else days,
            human_review=effect.human_review or found.human_review,
        ).saying(_("{control} is sent, which makes it {level}", control=name,
                   level=effect.level.value))  # fmt: skip
    return found


def _bounded(found: Standing, shipped: Standing, name: str) -> Standing:
    """A user's own card, or an address under another name, gets no more than the card that comes
    with llmctl has for the same host: the worse of each fact."""
    days = [one.retention_days for one in (found, shipped) if one.retention_days is not None]
    bounded = replace(
        found,
        level=worse(found.level, shipped.level),
        trains=max(found.trains, shipped.trains, key=TRAINS.index),
        human_review=max(found.human_review, shipped.human_review, key=REVIEWS.index),
        retention_days=max(days) if len(days) == 2 else None,
        regions=shipped.regions,
    )
    if bounded == found:
        return found
    return bounded.saying(
        _("its host is one of {name}, so at best the facts known of that one hold", name=name)
    )


def _aged(found: Standing, source: Source, today: date | None) -> Standing:
    """Facts that nobody has checked for too long are one step worse."""
    from llmctl.expiry import expires_on, is_stale

    if not is_stale(source, today or utc_today()):
        return found
    days = found.retention_days or None  # that nothing is kept is what no longer holds
    return replace(found, level=one_step_worse(found.level), retention_days=days).saying(
        _("its facts were checked on {checked} and relied on until {day}: it counts as one level"
          " worse", checked=source.checked, day=expires_on(source).isoformat()),
        note=True,
    )  # fmt: skip


def _with_features(near: Standing, row: Privacy, sent: Sent) -> Standing:
    """With what a row says of the features that a request uses. Where it does not say how long
    their data are kept, nobody knows; and whoever is asked to search may be anywhere."""
    for one in used(row, sent):
        if one.level is Level.UNKNOWN:
            near = near.lost(one.note)
            continue
        days = [near.retention_days, one.retention_days]
        near = replace(
            near,
            level=worse(near.level, one.level),
            retention_days=None if None in days else max(day for day in days if day is not None),
        ).saying(one.note)
        if one.feature == "grounding":
            near = replace(near, regions=(), human_review="unknown")
    return near


def _with_strangers(near: Standing, names: tuple[str, ...]) -> Standing:
    if not names:
        return near
    text = _("llmctl does not know what the option {names} does, so nothing is known of the data",
             names=", ".join(names))  # fmt: skip
    return replace(near.lost(text), strange=(*near.strange, *names))


def _with_pictures(found: Standing, sent: Sent) -> Standing:
    """Whoever has a picture that is named by its URL learns that it was asked for, and how."""
    away = {host: distance(f"//{host}") for host in sent.hosts}
    hosts = [host for host in away if away[host].rank > found.level.rank]
    if not hosts:
        return found
    why = _("what is fetched from {hosts} is asked of somebody else: attach the file itself",
            hosts=", ".join(hosts))  # fmt: skip
    level = max(away.values(), key=lambda level: level.rank)
    return found.lost(why) if level is Level.UNKNOWN else replace(found, level=level).saying(why)


def usual_level(
    card: Card, settings: Settings, model: Model | None = None, *, today: date | None = None
) -> Level:
    """What a call to a provider comes to where the settings send it, with what is sent unasked."""
    from llmctl.privacy.controls import carrying, planned
    from llmctl.settings import ProviderSettings

    own = settings.providers.get(card.id, ProviderSettings())
    controls = planned(card, catalogue.dialect_of(card, model, own), own, settings)
    sent = carrying(controls)
    url = catalogue.base_url(card, own)
    return standing(card, model, own, url, settings, sent, today=today).level


def utc_today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()

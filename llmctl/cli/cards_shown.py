"""What would change in cards, and which cards there are, for people and for programs."""

from typing import TYPE_CHECKING

from llmctl import catalogue, refreshed
from llmctl.engine.card_changes import Change, Kind
from llmctl.engine.card_updates import Plan, Update, newest
from llmctl.messages import _
from llmctl.output.streams import out
from llmctl.output.table import table
from llmctl.output.terminal import detect, safe_line

if TYPE_CHECKING:
    from llmctl.types import Json

MOST_OF_A_VALUE = 200  # characters; --json has all of them
RED, PLAIN = "\x1b[1;31m", "\x1b[0m"


def show_plan(plan: Plan, place: str) -> None:
    """Every change, what matters most first."""
    for one in plan.updates:
        _say(_title(one))
        for change in one.changes:
            if change.kind is not Kind.SOURCE:
                _say(_line(change, one), loud=change.loud)
        if count := sum(change.kind is Kind.SOURCE for change in one.changes):
            _say("  " + _("{count} entries about sources and dates of checking", count=count))
    for provider, reason in plan.unfit.items():
        _say(_("{provider}: left out, this version of llmctl cannot use it: {reason}",
               provider=provider, reason=reason))  # fmt: skip
    _say(_("cards of {place}: {changed} differ from those here, {same} do not", place=place,
           changed=len(plan.updates), same=plan.same))  # fmt: skip


def _title(one: Update) -> str:
    if one.is_new:
        text = _("{id} ({name}), a new provider", id=one.id, name=one.name)
    else:
        text = f"{one.id} ({one.name})"
    if one.is_older:
        text += ", " + _("OLDER than what is here: checked {now}, here {before}", now=one.now,
                         before=one.before)  # fmt: skip
    elif one.now != one.before:
        text += ", " + _("checked {now}, before {before}", now=one.now or "?",
                         before=one.before or "?")  # fmt: skip
    if one.hidden:
        text += ", " + _("hidden by your own card of this name")
    return text


def _line(change: Change, one: Update) -> str:
    """`!` is what requests and keys depend on."""
    mark = {Kind.REACH: "!!", Kind.PRIVACY: "* ", Kind.PRICE: "$ "}.get(change.kind, "  ")
    if one.is_new and change.kind is not Kind.REACH:
        mark = "+ "
    elif change.kind is Kind.MODEL:
        mark = "+ " if change.old is None else "- "
        return f"  {mark} {change.path}"
    return f"  {mark} {change.path}: {_shown(change.old)} → {_shown(change.new)}"


def _shown(value: "Json") -> str:
    if value is None:
        return _("not stated")
    from llmctl.output.envelope import json_text

    text = value if isinstance(value, str) else json_text(value)
    return text if len(text) <= MOST_OF_A_VALUE else text[:MOST_OF_A_VALUE] + "…"


def _say(text: str, *, loud: bool = False) -> None:
    line = safe_line(text)
    if loud and detect().stdout.colour:
        line = f"{RED}{line}{PLAIN}"
    out(line + "\n")


def plan_json(plan: Plan, place: str, *, stored: bool) -> "dict[str, Json]":
    return {
        "version": 1,
        "source": place,
        "stored": stored,
        "cards": [
            {
                "id": one.id,
                "new": one.is_new,
                "older": one.is_older,
                "hidden": one.hidden,
                "checked_before": one.before,
                "checked": one.now,
                "changes": [
                    {
                        "kind": change.kind.value,
                        "loud": change.loud,
                        "path": change.path,
                        "old": change.old,
                        "new": change.new,
                    }
                    for change in one.changes
                ],
            }
            for one in plan.updates
        ],
        "unfit": [{"id": name, "reason": reason} for name, reason in plan.unfit.items()],
        "same": plan.same,
    }


def known_cards() -> "list[dict[str, Json]]":
    """A row a card; `origin` is own, refreshed, given (refreshed from a file or an address) or
    shipped."""
    from llmctl import settings
    from llmctl.engine.card_updates import current
    from llmctl.errors import LlmctlError

    loaded, origins = settings.load(), refreshed.origins()
    rows: list[dict[str, Json]] = []
    shipped, own = catalogue.shipped_ids(), catalogue.own_cards()
    for provider in sorted({*shipped, *own, *origins}):
        kept = origins.get(provider)
        kind = "own" if provider in own else "shipped" if kept is None else "refreshed"
        if kind == "refreshed" and refreshed.is_given(provider):
            kind = "given"
        damaged = None
        try:
            catalogue.card(provider, loaded.settings)
        except LlmctlError as error:
            damaged = error.message
        table = current(
            provider, catalogue.shipped_table(provider) if provider in shipped else None
        )
        rows.append(
            {
                "id": provider,
                "origin": kind,
                "checked": None if damaged or kind == "own" else newest(table),
                "refreshed_at": kept.at if kept else None,
                "source": kept.source if kept else None,
                "damaged": damaged,
            }
        )
    return rows


def show_cards(rows: "list[dict[str, Json]]") -> None:
    words = {
        "own": _("your own"),
        "refreshed": _("refreshed"),
        "given": _("given by you"),
        "shipped": _("shipped"),
    }
    headers = [_("card"), _("origin"), _("checked"), _("refreshed (UTC)"), _("where from")]
    lines = [
        [
            row["id"],
            words[row["origin"]] + (", " + _("damaged") if row["damaged"] else ""),
            row["checked"],
            row["refreshed_at"] or "",
            row["source"] or "",
        ]
        for row in rows
    ]
    table(headers, lines)
    if any(row["damaged"] and row["origin"] in ("refreshed", "given") for row in rows):
        _say(_("back to the cards of this version: llmctl cards reset"))

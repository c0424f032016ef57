"""`llmctl privacy explain` in sentences."""

from collections.abc import Iterator
from typing import Any

from llmctl.messages import _
from llmctl.output.streams import out
from llmctl.output.terminal import safe_line


def print_explained(known: dict[str, Any]) -> None:
    """What `llmctl.engine.explained.explained` knows of a model, for people."""
    out("".join(safe_line(line) + "\n" for line in lines(known)))


def lines(known: dict[str, Any]) -> Iterator[str]:
    place = _(" at {host}", host=known["host"]) if known["host"] else ""
    yield _("{model} of {name}{place}: {level}", model=known["model"], name=known["name"],
            place=place, level=known["level"])  # fmt: skip
    yield ""
    yield _("Why")
    yield from (f"  - {one}" for one in known["why"])
    yield ""
    yield _("What becomes of a prompt")
    yield from (f"  - {one}" for one in _outcome(known))
    if known["controls"]:
        yield ""
        yield _("What can be sent to ask for less")
        yield from (f"  - {_control(one)}" for one in known["controls"])
    if known["lowered_by"]:
        yield ""
        yield _("What makes it worse")
        yield from (f"  - {one['feature']}: {one['note']} ({_at_best(one)})"
                    for one in known["lowered_by"])  # fmt: skip
    if known["source"] is not None:
        yield ""
        yield _("What the card says")
        if known["terms"]:
            yield f"  {known['terms']}"
        yield from (f"  - {one}" for one in _facts(known))
    yield ""
    yield from _policy(known)


def _outcome(known: dict[str, Any]) -> Iterator[str]:
    days = known["retention_days"]
    yield {
        "yes": _("models may be trained on it"),
        "no": _("no model is trained on it"),
    }.get(known["trains"], _("whether models are trained on it is not known"))
    if days is None:
        yield _("how long it is kept is not known")
    else:
        yield _("it is not kept") if days == 0 else _("it is kept for up to {days} days", days=days)
    yield {
        "yes": _("people may read it"),
        "flagged": _("people may read what is reported as abuse"),
        "no": _("nobody reads it"),
    }.get(known["human_review"], _("whether people read it is not known"))
    regions = "/".join(known["regions"])
    if known["level"] not in ("device", "network"):
        yield (
            _("it is processed in {regions}", regions=regions)
            if regions
            else _("where it is processed is not known")
        )
    if known["attested"]:
        yield _("attested by you: {what}", what=", ".join(known["attested"]))


def _control(one: dict[str, Any]) -> str:
    state = (
        _("sent")
        if one["sent"]
        else _("not sent unless you ask for it")
        if not one["default"]
        else _("not sent")
    )
    cost = _("; it costs: {cost}", cost=one["cost"]) if one["cost"] else ""
    level = _("; leads to {level}", level=one["level"]) if one["level"] else ""
    return f"{one['name']} ({state}): {one['effect']}{level}{cost}"


def _at_best(one: dict[str, Any]) -> str:
    if one["retention_days"] is None:
        return _("at best {level}", level=one["level"])
    return _("at best {level}, kept for {days} days", level=one["level"],
             days=one["retention_days"])  # fmt: skip


def word(value: object) -> str | None:
    """A value of a fact for people; None for one that nobody knows."""
    words = {"yes": _("yes"), "no": _("no"), "flagged": _("if flagged"), "unknown": None}
    return words.get(value, str(value)) if isinstance(value, str) else None


def confidence(value: str) -> str:
    """How far a source is trusted, for people."""
    return {"high": _("high"), "medium": _("medium"), "low": _("low")}.get(value, value)


def _facts(known: dict[str, Any]) -> Iterator[str]:
    names = {
        "trains": _("trains on data"),
        "retention_days": _("days kept"),
        "zero_retention": _("zero retention"),
        "human_review": _("read by people"),
        "regions": _("regions"),
        "legal": _("legal basis"),
        "certificates": _("certificates"),
    }
    scopes = {
        "request": _("changed by what is sent"),
        "account": _("changed in the account"),
        "contract": _("changed by contract"),
        "none": _("cannot be changed"),
    }
    ways = {
        "request": _("for a request"),
        "account": _("as a setting of the account"),
        "contract": _("by contract"),
        "none": _("not to be had"),
    }
    for one in known["facts"]:
        value = one["value"]
        if one["fact"] == "zero_retention":
            value = ways.get(value)
        elif isinstance(value, str):
            value = word(value)
        elif isinstance(value, list):
            value = ", ".join(value)
        said = _("unknown") if value is None else value
        scope = f" ({scopes[one['scope']]})" if one["scope"] else ""
        other = one["source"] != known["source"]
        yield f"{names[one['fact']]}: {said}{scope}" + (
            f" [{_source(one['source'])}]" if other and value is not None else ""
        )
    yield _source(known["source"])


def _source(source: dict[str, Any]) -> str:
    return _("source: {title}, checked {date}, good until {day}, confidence {confidence}",
             title=source["title"], date=source["checked"], day=source["expires"],
             confidence=confidence(source["confidence"]))  # fmt: skip


def _policy(known: dict[str, Any]) -> Iterator[str]:
    if known["allowed"]:
        yield _("Your policy allows it.")
        return
    yield _("Your policy forbids it")
    yield from (f"  - {one}" for one in known["reasons"])
    yield from (
        "  - " + _("{what} would reach {level}", what=one["what"], level=one["level"])
        for one in known["would_help"]
    )

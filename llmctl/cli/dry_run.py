"""`--dry-run`: exactly what would leave, and nothing sent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl.engine.route import Route
from llmctl.output.envelope import document
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line
from llmctl.settings import Loaded
from llmctl.types import Call

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.engine.clearance import Cleared

# What an estimate says of money.
COST = ("low", "usual", "high", "price_source", "price_date")


def print_body(route: Route, call: Call, loaded: Loaded, *, quiet: bool = False) -> None:
    """Print method, URL, header names and body as one JSON document; no header value, as one of
    them is the key. The cost is null while it is not known. Raises what would keep the call from
    being sent: PrivacyRefused, BudgetRefused."""
    from llmctl.cli.searched import cleared_patiently

    print_bodies([cleared_patiently(route, call, loaded, quiet=quiet)], quiet=quiet)


def print_bodies(readies: "Sequence[Cleared]", *, quiet: bool = False) -> None:
    """The same for calls of one command, which are given back: the first as it would leave, with
    what all of them would cost."""
    from functools import reduce

    from llmctl.cost.estimate import summed
    from llmctl.engine.attempt import given_back
    from llmctl.output.estimates import estimate_json

    for one in readies:
        given_back(one)
    ready = readies[0]
    route, screened = ready.route, ready.screened
    estimate = estimate_json(reduce(summed, map(estimate_of, readies)))
    http = route.dialect.encode(ready.call, route.quirks)
    fetched = ["Authorization"] if route.target.auth else []  # what a flow will put there
    document(
        {
            "version": 1,
            "provider": route.provider,
            "model": route.model,
            "method": http.method,
            "url": route.target.url(http.path, http.base),
            "headers": sorted({*fetched, *route.target.headers, *http.headers}, key=str.lower),
            "body": http.body,
            "privacy": {
                "level": route.verdict.level.value,
                "region": route.verdict.region,
                "retention_days": route.verdict.retention_days,
                "redactions": screened.redactions,
            },
            "estimate": estimate,
            "cost": None if estimate["low"] is None else {name: estimate[name] for name in COST},
        }
    )
    for note in ready.notes:
        if note.insists or not quiet:
            err(f"llmctl: {safe_line(note.text)}\n")


def estimate_of(ready: "Cleared") -> "Estimate":
    """What a call that may be sent would cost, its tokens counted as well as can be here."""
    from datetime import UTC, datetime

    from llmctl.cost.estimate import estimated

    return estimated(
        ready.route.card,
        ready.route.model_card,
        ready.call,
        at=datetime.now(UTC),
        terms=ready.route.terms(ready.call),
        exact=True,
    )

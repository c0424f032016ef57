"""`--dry-run`: exactly what would leave, and nothing sent."""

from llmctl.engine.route import Route
from llmctl.output.envelope import document
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line
from llmctl.settings import Loaded
from llmctl.types import Call

# What an estimate says of money.
COST = ("low", "usual", "high", "price_source", "price_date")


def print_body(route: Route, call: Call, loaded: Loaded, *, quiet: bool = False) -> None:
    """Print method, URL, header names and body as one JSON document; no header value, as one of
    them is the key. The cost is null while it is not known. Raises what would keep the call from
    being sent: PrivacyRefused, BudgetRefused."""
    from datetime import UTC, datetime

    from llmctl.cli.attempt import given_back
    from llmctl.cli.searched import cleared_patiently
    from llmctl.cost.estimate import estimated
    from llmctl.output.estimates import estimate_json

    ready = cleared_patiently(route, call, loaded, quiet=quiet)
    given_back(ready)
    route, screened = ready.route, ready.screened
    estimate = estimate_json(
        estimated(
            route.card,
            route.model_card,
            ready.call,
            at=datetime.now(UTC),
            terms=route.terms(ready.call),
            exact=True,
        )
    )
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

"""`--dry-run`: exactly what would leave, and nothing sent."""

from llmctl.engine.route import Route
from llmctl.output.envelope import document
from llmctl.types import Chat, Complete


def print_body(route: Route, call: Chat | Complete) -> None:
    """Print method, URL, header names and body as one JSON document; no header value, as one of
    them is the key. The cost is null while it is not known."""
    http = route.dialect.encode(call, route.quirks)
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
            },
            "cost": None,
        }
    )

"""Runs as the ledger gives them to reports."""

from typing import Any

from llmctl.store.spending import Spent


def spent(**more: Any) -> Spent:
    """A chat with openai/m that went well, took 10 tokens in and 2 out, at an unknown price."""
    known: dict[str, Any] = {
        "key": "openai",
        "started_at": "2026-11-24T10:00:00Z",
        "kind": "chat",
        "provider": "openai",
        "requested": "openai/m",
        "resolved": None,
        "failed": 0,
        "input_tokens": 10,
        "output_tokens": 2,
        "cached_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "amount": None,
        "currency": None,
        "cost_kind": "unknown",
        "level": "no-training",
        "answered": 1,
        "speed": None,
        **more,
    }
    return Spent(**known)


def priced(amount: str, currency: str = "USD", kind: str = "computed", **more: Any) -> Spent:
    return spent(amount=amount, currency=currency, cost_kind=kind, **more)


def nothing_came(**more: Any) -> Spent:
    """A run that failed before anything came back."""
    return spent(failed=1, answered=0, input_tokens=None, output_tokens=None, **more)

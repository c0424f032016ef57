"""Sums over the ledger, and what it says of itself."""

import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from llmctl.store.database import BESIDE, number
from llmctl.values import dataclass, field


class By(StrEnum):
    """What sums are grouped by; days are days of UTC."""

    DAY = "day"
    MODEL = "model"
    PROVIDER = "provider"


KEYS: Mapping[By, str] = {
    By.DAY: "substr(started_at, 1, 10)",
    By.MODEL: "requested",
    By.PROVIDER: "coalesce(provider, '')",
}

ROWS = """
SELECT {key} AS key, exit_code,
    json_extract(facts, '$.usage.input_tokens'), json_extract(facts, '$.usage.output_tokens'),
    json_extract(facts, '$.cost.amount'), json_extract(facts, '$.cost.currency'),
    json_extract(facts, '$.latency.ttft_s'), json_extract(facts, '$.latency.total_s')
FROM runs WHERE started_at >= ? ORDER BY key
"""


@dataclass(slots=True)
class Sums:
    """One line of statistics.

    Token counts leave out runs that reported none. Money is summed exactly and by currency;
    `unpriced` counts the runs that succeeded and whose price nobody knows. Medians are of runs that
    succeeded, in seconds.
    """

    key: str
    runs: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0
    median_ttft_s: float | None = None
    median_total_s: float | None = None


def stats(connection: sqlite3.Connection, by: By, since: str = "") -> list[Sums]:
    """Sums of the runs since then, one line a key, in the order of the keys."""
    lines: dict[str, Sums] = {}
    waits: dict[str, tuple[list[float], list[float]]] = {}
    for key, exit_code, sent, got, amount, currency, ttft, total in connection.execute(
        ROWS.format(key=KEYS[by]), [since]
    ):
        line = lines.setdefault(key, Sums(key))
        line.runs += 1
        line.failed += exit_code != 0
        line.input_tokens += sent or 0
        line.output_tokens += got or 0
        if amount is not None:
            line.cost[currency] = line.cost.get(currency, Decimal(0)) + Decimal(amount)
        if exit_code:
            continue
        line.unpriced += amount is None
        for seconds, values in zip((ttft, total), waits.setdefault(key, ([], [])), strict=True):
            if seconds is not None:
                values.append(seconds)
    for key, (ttfts, totals) in waits.items():
        lines[key].median_ttft_s, lines[key].median_total_s = median(ttfts), median(totals)
    return list(lines.values())


def median(values: Iterable[float]) -> float | None:
    """The middle value, or the mean of the two in the middle; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class Explained:
    """What the ledger holds: `size` is bytes on disk, `oldest` and `newest` UTC as in receipts,
    `set_aside` are damaged ledgers that were replaced, and still hold what they held."""

    path: Path
    size: int
    runs: int
    with_text: int
    conversations: int
    oldest: str | None
    newest: str | None
    retention_days: int | None
    set_aside: tuple[Path, ...]


def set_aside(path: Path) -> tuple[Path, ...]:
    """The damaged ledgers beside the one at `path`, with the files SQLite kept next to them."""
    return tuple(sorted(path.parent.glob(f"{path.name}.corrupt-*")))


def explained(connection: sqlite3.Connection, path: Path, retention_days: int | None) -> Explained:
    oldest, newest = connection.execute(
        "SELECT min(started_at), max(started_at) FROM runs"
    ).fetchone()
    parts = [path.with_name(path.name + suffix) for suffix in ("", *BESIDE)]
    return Explained(
        path=path,
        size=sum(part.stat().st_size for part in parts if part.exists()),
        runs=number(connection, "SELECT count(*) FROM runs"),
        with_text=number(connection, "SELECT count(*) FROM bodies"),
        conversations=number(connection, "SELECT count(DISTINCT conversation) FROM runs"),
        oldest=oldest,
        newest=newest,
        retention_days=retention_days,
        set_aside=set_aside(path),
    )

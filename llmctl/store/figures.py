"""Sums over the ledger, and what it says of itself."""

import sqlite3
from collections.abc import Mapping
from decimal import Decimal, localcontext
from enum import StrEnum
from pathlib import Path

from llmctl.store import priced
from llmctl.store.database import BESIDE, number
from llmctl.store.percentiles import Spread, spread
from llmctl.types.amounts import EXACT
from llmctl.values import dataclass, field


class By(StrEnum):
    """What sums are grouped by; days and months are those of UTC."""

    DAY = "day"
    MONTH = "month"
    MODEL = "model"
    PROVIDER = "provider"
    PROJECT = "project"
    TAG = "tag"


# The model that has answered, under its provider; of an answer that never came, the one asked for.
MODEL = """
CASE WHEN provider IS NULL OR substr(coalesce(resolved, requested), 1, length(provider) + 1)
    = provider || '/' THEN coalesce(resolved, requested)
ELSE provider || '/' || coalesce(resolved, requested) END
"""

KEYS: Mapping[By, str] = {
    By.DAY: "substr(started_at, 1, 10)",
    By.MONTH: "substr(started_at, 1, 7)",
    By.MODEL: MODEL,
    By.PROVIDER: "coalesce(provider, '')",
    By.PROJECT: "coalesce(json_extract(tags, '$.project'), '')",
    By.TAG: "coalesce(json_extract(tags, '$.tag'), '')",
}

# What was only sent to be counted is no answer: nothing is paid for it.
ANSWERS = "kind <> 'count'"

ROWS = """
SELECT {key} AS key, exit_code,
    json_extract(facts, '$.usage.input_tokens'), json_extract(facts, '$.usage.output_tokens'),
    json_extract(facts, '$.cost.amount'), json_extract(facts, '$.cost.currency'),
    json_extract(facts, '$.verdict.level'), json_extract(facts, '$.latency.ttft_s'),
    json_extract(facts, '$.latency.total_s'),
    json_extract(facts, '$.latency.output_tokens_per_s'),
    json_extract(facts, '$.latency.connect_s'), json_extract(facts, '$.latency.reused'),
    json_extract(facts, '$.latency.load_s')
FROM runs WHERE started_at >= ? AND {answers} ORDER BY key
"""

# Servers state a few milliseconds for a model that was in memory already.
LOADED_S = 0.1


@dataclass(slots=True)
class Sums:
    """One line of statistics.

    Token counts leave out runs that reported none. Money is summed exactly and by currency;
    `unpriced` counts the runs that answered, if only in part, and whose price nobody knows.

    Medians, spreads and the three counts behind them are of runs that succeeded; times in seconds.
    `ttft_s` is what the user waited for the first token of a stream; `ttft_ready_s` is the same
    without connecting and without loading a model, so that runs with and without these can be
    compared. `connected` runs opened a connection, `reused` ones had one, `loaded` ones found their
    model not in memory.
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
    ttft_s: Spread = field(default_factory=Spread)
    ttft_ready_s: Spread = field(default_factory=Spread)
    total_s: Spread = field(default_factory=Spread)
    output_tokens_per_s: Spread = field(default_factory=Spread)
    connected: int = 0
    reused: int = 0
    loaded: int = 0


@dataclass(slots=True)
class Watched:
    """What was measured of the runs of one line."""

    ttfts: list[float] = field(default_factory=list)
    readies: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)

    def tell(self, line: Sums) -> None:
        line.ttft_s, line.ttft_ready_s = spread(self.ttfts), spread(self.readies)
        line.total_s, line.output_tokens_per_s = spread(self.totals), spread(self.speeds)
        line.median_ttft_s, line.median_total_s = line.ttft_s.p50, line.total_s.p50


def stats(connection: sqlite3.Connection, by: By, since: str = "") -> list[Sums]:
    """Sums of the runs since then, one line a key, in the order of the keys."""
    lines: dict[str, Sums] = {}
    watched: dict[str, Watched] = {}
    for key, exit_code, sent, got, amount, currency, level, ttft, *times in connection.execute(
        ROWS.format(key=KEYS[by], answers=ANSWERS), [since]
    ):
        if (line := lines.get(key)) is None:
            line, watched[key] = lines.setdefault(key, Sums(key)), Watched()
        line.runs += 1
        line.failed += exit_code != 0
        line.input_tokens += sent or 0
        line.output_tokens += got or 0
        cost = priced.paid(amount, currency, level)
        if cost is None:
            line.unpriced += priced.happened(exit_code, ttft is not None, sent, got, amount)
        elif currency is not None:
            with localcontext(EXACT):
                line.cost[currency] = line.cost.get(currency, priced.ZERO) + cost
        if not exit_code:
            _watch(line, watched[key], ttft, *times)
    for key, measured in watched.items():
        measured.tell(lines[key])
    return list(lines.values())


def _watch(
    line: Sums,
    measured: Watched,
    ttft: float | None,
    total: float | None,
    speed: float | None,
    connect: float | None,
    reused: int | None,
    load: float | None,
) -> None:
    """Note the times of a run that succeeded; what was not measured is None."""
    line.connected += connect is not None
    line.reused += bool(reused)
    line.loaded += (load or 0.0) >= LOADED_S
    if ttft is not None:
        measured.ttfts.append(ttft)
        measured.readies.append(max(0.0, ttft - (connect or 0.0) - (load or 0.0)))
    if total is not None:
        measured.totals.append(total)
    if speed is not None:
        measured.speeds.append(speed)


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
    comparisons: int = 0


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
        comparisons=number(connection, "SELECT count(*) FROM comparisons"),
    )

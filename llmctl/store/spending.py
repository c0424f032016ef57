"""What each run cost and used, one at a time: what reports of cost are made of."""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from llmctl.store.entries import EVERY, Wanted
from llmctl.store.figures import ANSWERS, KEYS, By

ROWS = """
SELECT {key}, started_at, kind, provider, requested, resolved, exit_code <> 0,
    json_extract(facts, '$.usage.input_tokens'), json_extract(facts, '$.usage.output_tokens'),
    json_extract(facts, '$.usage.cached_tokens'), json_extract(facts, '$.usage.cache_write_tokens'),
    json_extract(facts, '$.usage.reasoning_tokens'), json_extract(facts, '$.cost.amount'),
    json_extract(facts, '$.cost.currency'), json_extract(facts, '$.cost.kind'),
    json_extract(facts, '$.verdict.level'), json_extract(facts, '$.latency.ttft_s') IS NOT NULL,
    json_extract(facts, '$.latency.output_tokens_per_s')
FROM runs WHERE {where} AND {answers}
"""


class Spent(NamedTuple):
    """One run. `key` is what it is grouped by, empty where it has none; `answered` says that a part
    of the answer had come, whatever happened then. Tokens as in `Usage`, None where nobody counted;
    `amount`, `currency`, `cost_kind` and `level` as in a receipt; `speed` is output tokens a
    second. A plain tuple: ledgers grow long."""

    key: str
    started_at: str
    kind: str
    provider: str | None
    requested: str
    resolved: str | None
    failed: int
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    amount: str | None
    currency: str | None
    cost_kind: str
    level: str | None
    answered: int
    speed: float | None


def spending(connection: sqlite3.Connection, by: By, wanted: Wanted = EVERY) -> Iterator[Spent]:
    """The runs that asked for an answer, in the order of the file, one in memory at a time."""
    where, values = wanted.clause()
    # All of them are constants; what users give is bound.
    query = ROWS.format(key=KEYS[by], where=where, answers=ANSWERS)
    return map(Spent._make, connection.execute(query, values))

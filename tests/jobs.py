"""Jobs for tests of their report: one as a user would run it, and one of hostile texts."""

import json
import random
from collections.abc import Iterator

from llmctl.batch.shape import Ended, Hop, JobSummary, Spread, Total
from llmctl.output.batch_rows import row_line
from llmctl.types import (
    Cost,
    CostKind,
    Failure,
    FinishReason,
    Latency,
    Level,
    Receipt,
    Usage,
    Verdict,
)
from llmctl.values import replace

STARTED = "2026-11-25T12:03:04Z"
LUNA, GIGA, TINY = "openai/gpt-6-luna", "gigachat/GigaChat-2", "local/smollm2-135m"

# Tags, what ends an element or an attribute, and characters that drive, reorder or hide.
HOSTILE = (
    "</script></style></title></main><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"><svg onload=alert(1)>"
    "\"'`&lt;&#60;\x1b]0;owned\x07\u202e\u2066\u2028\ud83d\x00]]>--><!--"
    '=HYPERLINK("http://192.0.2.1")' + "Z\u0301\u0302\u0303" * 40 + "W" * 400
)

SUMMARY = JobSummary(
    job="01jd9w3k5m7p9r1t3v5x7z9b1d",
    output="answers/out.jsonl",
    errors="answers/out.errors.jsonl",
    input="in.jsonl",
    started_at=STARTED,
    rows=306,
    done=300,
    failed=5,
    waiting=1,
    causes={"filtered": 3, "rate-limited": 2},
    ended=305,
    failed_now=5,
    reused=10,
    total=Total(rows=305, requests=310, input_tokens=30_000, output_tokens=6_000,
                costs={"USD": "0.2", "RUB": "10"}),
    latency=Spread(p50=0.5, p90=0.9, p99=1.0, most=1.0),
    seconds=12.5,
    most_at_once=32,
)  # fmt: skip


def receipt(model: str, number: int, text: str, seconds: float, cost: Cost) -> Receipt:
    return Receipt(
        id=f"{number:020x}",
        started_at=STARTED,
        requested=model,
        provider=model.partition("/")[0],
        resolved=model.partition("/")[2],
        text=text,
        finish_reason=FinishReason.STOP,
        usage=Usage(100, 20 + number % 7),
        cost=cost,
        latency=Latency(ttft_s=seconds / 4, total_s=seconds),
        verdict=Verdict(allowed=True, level=Level.NO_TRAINING),
        attempts=1,
    )


def answered(number: int, chance: random.Random) -> Ended:
    """Two rows of three ask the model in dollars, one that in roubles; each thirtieth is a copy."""
    seconds = round(chance.uniform(0.2, 1.0), 4)
    if number % 3:
        cost = Cost("0.001", "USD", CostKind.COMPUTED)
        one = receipt(LUNA, number, f"Answer number {number}.", seconds, cost)
    else:
        cost = Cost("0.1", "RUB", CostKind.COMPUTED)
        one = receipt(GIGA, number, f"Ответ номер {number}.", seconds, cost)
    hops = (Hop(LUNA, "rate-limited"),) if number % 50 == 0 else ()
    copied = f"row-{number - 1}" if number % 30 == 0 else None
    return Ended(line=number, id=f"row-{number}", receipt=one, hops=hops, same_as=copied)


def failed(number: int, code: str, status: int, message: str) -> Ended:
    error = Failure(code, 13, message, status=status, provider="openai")
    one = replace(receipt(LUNA, number, "", 0.1, Cost()), error=error, finish_reason=None)
    return Ended(line=number, id=f"row-{number}", receipt=one)


def rows(count: int = 300) -> Iterator[bytes]:
    chance = random.Random(1)
    return (row_line(answered(number, chance)) for number in range(1, count + 1))


def failures() -> Iterator[bytes]:
    for number in range(301, 304):
        yield row_line(failed(number, "filtered", 400, "blocked by the content filter"))
    for number in range(304, 306):
        yield row_line(failed(number, "rate-limited", 429, "Too many requests"))


def hostile_summary() -> JobSummary:
    return replace(SUMMARY, job=HOSTILE, output=f"{HOSTILE}.jsonl", errors=HOSTILE, input=HOSTILE,
                   causes={HOSTILE: 9})  # fmt: skip


def hostile_rows(count: int = 200, long: int = 40) -> Iterator[bytes]:
    """Every text is hostile, each row names a model of its own; then lines that are no rows, and
    rows whose parts are of the wrong kind."""
    for number in range(count):
        one = receipt(f"{number}{HOSTILE}", number, HOSTILE * long, 0.5 + number,
                      Cost("1.5", f"C{number}", CostKind.COMPUTED))  # fmt: skip
        hops = (Hop(f"{number}{HOSTILE}", HOSTILE),)
        yield row_line(Ended(line=number, id=f"{number}{HOSTILE * 9}", receipt=one, hops=hops))
    yield from (b"\xff\n", b"\n", b"[1]\n", b'{"row": 1}\n', b'{"row": {}, "text"')
    odd: tuple[object, ...] = (None, 1, -1, 1e308, "NaN", [], [[]], {}, {"a": {}}, True, 10**400)
    for value in odd:
        names = ("text", "model", "usage", "cost", "latency", "privacy", "media", "attempts")
        yield json.dumps({"row": {"id": value, "line": value, "hops": [value]},
                          **dict.fromkeys(names, value)}).encode()  # fmt: skip
        yield json.dumps({
            "row": {"hops": value}, "text": "", "model": {"requested": value},
            "usage": dict.fromkeys(("input_tokens", "output_tokens"), value),
            "cost": {"amount": value, "currency": value},
            "latency": {"total_s": value, "ttft_s": value},
        }).encode()  # fmt: skip


def hostile_failures(count: int = 200, long: int = 40) -> Iterator[bytes]:
    for number in range(count):
        yield row_line(failed(number, f"{number % 60}{HOSTILE}", 418, HOSTILE * long))

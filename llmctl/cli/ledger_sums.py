"""The ledger as a whole: sums, what is kept, and the question before anything is deleted."""

import sys

from llmctl.cli.kept import kept_mode
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.envelope import seconds
from llmctl.output.streams import err
from llmctl.store.figures import By, Explained, Sums
from llmctl.store.percentiles import Spread
from llmctl.types import Json
from llmctl.types.amounts import plain

BY_HEADERS = {
    By.DAY: _("day"),
    By.MONTH: _("month"),
    By.MODEL: _("model"),
    By.PROVIDER: _("provider"),
    By.PROJECT: _("project"),
    By.TAG: _("tag"),
}
STATS_HEADERS = [
    _("runs"),
    _("failed"),
    _("in"),
    _("out"),
    _("cost"),
    _("unpriced"),
]
TIMES_HEADERS = [_("runs"), "p50", "p90", "p95", "p99"]


def stats_json(sums: Sums) -> dict[str, Json]:
    return {
        "key": sums.key,
        "runs": sums.runs,
        "failed": sums.failed,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cost": [
            {"amount": plain(amount), "currency": currency}
            for currency, amount in sums.cost.items()
        ],
        "unpriced": sums.unpriced,
        "median_ttft_s": seconds(sums.median_ttft_s),
        "median_total_s": seconds(sums.median_total_s),
        "ttft_s": spread_json(sums.ttft_s),
        "ttft_ready_s": spread_json(sums.ttft_ready_s),
        "total_s": spread_json(sums.total_s),
        "output_tokens_per_s": spread_json(sums.output_tokens_per_s),
        "connected": sums.connected,
        "reused": sums.reused,
        "loaded": sums.loaded,
    }


def spread_json(values: Spread) -> dict[str, Json]:
    return {
        "count": values.count,
        "p50": seconds(values.p50),
        "p90": seconds(values.p90),
        "p95": seconds(values.p95),
        "p99": seconds(values.p99),
    }


def _figure(value: float | None, digits: int) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def stats_row(sums: Sums) -> list[str | None]:
    cost = " + ".join(
        f"{plain(amount)} {currency or ''}".rstrip() for currency, amount in sums.cost.items()
    )
    return [
        sums.key,
        str(sums.runs),
        str(sums.failed),
        str(sums.input_tokens),
        str(sums.output_tokens),
        cost or None,
        str(sums.unpriced),
    ]


def times_rows(sums: Sums) -> list[list[str | None]]:
    """The key, and below it a row for each thing that was measured at least once."""
    measured = (
        (_("first token, s"), sums.ttft_s, 3),
        (_("the same, connected and loaded"), sums.ttft_ready_s, 3),
        (_("total, s"), sums.total_s, 3),
        (_("tokens/s"), sums.output_tokens_per_s, 1),
    )
    rows: list[list[str | None]] = [
        [
            f"  {what}",
            str(values.count),
            *(_figure(one, digits) for one in (values.p50, values.p90, values.p95, values.p99)),
        ]
        for what, values, digits in measured
        if values.count
    ]
    return [[sums.key, *[""] * len(TIMES_HEADERS)], *rows] if rows else []


def purge_question(run: str | None, older_than: float | None) -> str:
    if run is not None:
        return _("Delete run {id} for good?", id=run)
    if older_than is not None:
        return _("Delete every run older than {days:g} days for good?", days=older_than)
    return _("Delete every run for good?")


def sure(question: str) -> bool:
    """Ask on a terminal, where Enter means no; elsewhere raises UsageError."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            _("deleting asks first, and this is no terminal"), hint=_("to delete unasked: --yes")
        )
    err(question + " " + _("[y/N]") + " ")
    return sys.stdin.readline().strip().lower() in ("y", "yes", "д", "да")


def explain_json(known: Explained) -> dict[str, Json]:
    return {
        "version": 1,
        "path": str(known.path),
        "size_bytes": known.size,
        "runs": known.runs,
        "with_text": known.with_text,
        "conversations": known.conversations,
        "comparisons": known.comparisons,
        "oldest": known.oldest,
        "newest": known.newest,
        "retention_days": known.retention_days,
        "mode": kept_mode(),
        "set_aside": [str(path) for path in known.set_aside],
    }


def explain_text(known: Explained) -> str:
    kept = (
        _("for {days} days", days=known.retention_days)
        if known.retention_days is not None
        else _("until you delete it")
    )
    rows = [
        (_("file"), str(known.path)),
        (_("size"), _("{size:.1f} MB", size=known.size / 1e6)),
        (_("runs"), _("{runs}, of which {with_text} with text", runs=known.runs,
                      with_text=known.with_text)),
        (_("comparisons"), str(known.comparisons)),
        (_("from"), known.oldest or "-"),
        (_("to"), known.newest or "-"),
        (_("kept"), kept),
        (_("mode"), kept_mode()),
        *((_("damaged, set aside"), str(path)) for path in known.set_aside),
    ]  # fmt: skip
    width = max(len(label) for label, _text in rows)
    listed = "".join(f"{label:<{width}}  {text}\n" for label, text in rows)
    return listed + "\n" + _(
        """Modes:
  full  prompts, instructions, answers, reasoning, attachments, and the numbers
  meta  model, tokens, cost, times, privacy level, exit code, request id, --tag and the
        name of the project's folder; no text
  off   nothing
Never kept: keys and request headers. Nothing is sent anywhere.
The file is readable by you alone, and not encrypted.

Keep less:    llmctl --log meta "..." · llmctl --no-log "..." · llmctl config set log.mode meta
Keep shorter: llmctl config set log.keep_days 7
Delete:       llmctl logs purge ID · --older-than DAYS · --all
"""
    )  # fmt: skip

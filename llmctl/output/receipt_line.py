"""A receipt for people: one line, or everything."""

from llmctl.messages import _
from llmctl.output.terminal import safe_line
from llmctl.types import (
    COUNTED,
    OWN_HARDWARE,
    Cost,
    CostKind,
    Latency,
    Level,
    Receipt,
    Usage,
    UsageSource,
    Verdict,
)
from llmctl.values import replace

SIGNIFICANT_DIGITS = 2  # of an amount under one; above, cents


def receipt_line(receipt: Receipt) -> str:
    """`model · cost · time · privacy level`, without a newline."""
    parts = [
        _model(receipt),
        _price(receipt.cost, receipt.verdict),
        _duration(receipt.latency.total_s),
        _level(receipt.verdict),
    ]
    return safe_line(" · ".join(part for part in parts if part))


def usage_text(receipt: Receipt) -> str:
    """Everything a receipt knows, a labelled line each."""
    rows = [
        (_("model"), _whole_model(receipt)),
        (_("tokens"), _counted(receipt) or _tokens(receipt.usage)),
        (_("cost"), _whole_price(receipt.cost, receipt.verdict)),
        (_("time"), _times(receipt.latency, receipt.attempts)),
        (_("privacy"), _privacy(receipt.verdict)),
        (_("id"), _ids(receipt)),
    ]
    width = max(len(label) for label, _text in rows)
    return "".join(f"{label:<{width}}  {safe_line(text)}\n" for label, text in rows if text)


def _model(receipt: Receipt) -> str:
    name = receipt.resolved or receipt.requested
    if not receipt.provider or name.startswith(receipt.provider + "/"):
        return name
    return f"{receipt.provider}/{name}"


def _whole_model(receipt: Receipt) -> str:
    if receipt.resolved is None:
        return _model(receipt)
    return f"{receipt.requested} → {_model(receipt)}"


def _price(cost: Cost, verdict: Verdict | None) -> str:
    here = verdict is not None and verdict.level is Level.DEVICE
    if here and (cost.amount is None or not cost.amount.strip("0.")):
        return _("0 {currency} (runs here)", currency=cost.currency or "USD")
    if cost.amount is None:
        return _("price unknown")
    return f"{amount_text(cost.amount)} {cost.currency or ''}".rstrip()


def _whole_price(cost: Cost, verdict: Verdict | None) -> str:
    text = _price(cost, verdict)
    if cost.amount is not None and cost.kind is CostKind.REPORTED:
        text += ", " + _("as the provider states")
    elif cost.amount is not None and cost.kind is CostKind.COMPUTED:
        text += ", " + _("computed")
    if cost.amount is None and cost.why is not None:
        from llmctl.output.estimates import reason

        return f"{text} ({reason(cost.why)})"
    source = _("runs on your own hardware") if cost.price_source == OWN_HARDWARE else (
        cost.price_source)  # fmt: skip
    known = [part for part in (source, cost.price_date) if part]
    return f"{text} ({', '.join(known)})" if known else text


def amount_text(amount: str, *, at_least: bool = False) -> str:
    """A decimal string as people write money: 1.25, 0.0022, 0.0000021. What is said to be
    `at_least` so much is rounded down."""
    from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation

    try:
        value = Decimal(amount)
        exponent = -2
        if abs(value) < 1 and value:
            exponent = min(-2, value.adjusted() - SIGNIFICANT_DIGITS + 1)
        rounding = ROUND_FLOOR if at_least else ROUND_HALF_EVEN
        rounded = value.quantize(Decimal(1).scaleb(exponent), rounding)
    except (InvalidOperation, ValueError):
        return amount
    if not value:
        return "0"
    text = f"{rounded:f}"
    return text if exponent == -2 else text.rstrip("0")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 10:
        return _("{seconds:.2f} s", seconds=seconds)
    if seconds < 60:
        return _("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    return _("{minutes} min {seconds} s", minutes=minutes, seconds=rest)


def _level(verdict: Verdict | None) -> str:
    if verdict is None or verdict.level is Level.UNKNOWN:
        return _("privacy unknown")
    if verdict.attested:
        return _("{level} (attested by you)", level=verdict.level)
    return str(verdict.level)


def _counted(receipt: Receipt) -> str | None:
    count = receipt.details.get(COUNTED)
    return None if count is None else _("{count}, only counted", count=count)


def _tokens(usage: Usage) -> str:
    if usage.input_tokens is None and usage.output_tokens is None:
        return _("not reported")
    input_notes = []
    if usage.cached_tokens:
        input_notes.append(_("{count} cached", count=usage.cached_tokens))
    if usage.cache_write_tokens:
        input_notes.append(_("{count} written to the cache", count=usage.cache_write_tokens))
    output_notes = []
    if usage.reasoning_tokens:
        output_notes.append(_("{count} reasoning", count=usage.reasoning_tokens))
    text = _(
        "{input} in, {output} out",
        input=_count(usage.input_tokens, input_notes),
        output=_count(usage.output_tokens, output_notes),
    )
    match usage.source:
        case UsageSource.REPORTED:
            return text
        case UsageSource.COUNTED:
            return text + ", " + _("counted here")
        case UsageSource.ESTIMATED:
            return text + ", " + _("estimated")


def _count(tokens: int | None, notes: list[str]) -> str:
    text = "?" if tokens is None else str(tokens)
    return f"{text} ({', '.join(notes)})" if notes else text


def _times(latency: Latency, attempts: int) -> str:
    parts = []
    if latency.total_s is not None:
        parts.append(_("{time} in all", time=_duration(latency.total_s)))
    if latency.reused:
        parts.append(_("connection reused"))
    elif latency.connect_s is not None:
        parts.append(_("connected after {seconds:.3f} s", seconds=latency.connect_s))
    if latency.auth_s is not None and latency.auth_s >= 0.01:
        parts.append(_("token fetched in {seconds:.2f} s before", seconds=latency.auth_s))
    if latency.load_s is not None:
        parts.append(_("model loaded in {seconds:.2f} s", seconds=latency.load_s))
    if latency.first_byte_s is not None:
        parts.append(_("first byte after {seconds:.3f} s", seconds=latency.first_byte_s))
    if latency.ttft_s is not None:
        parts.append(_("first token after {seconds:.3f} s", seconds=latency.ttft_s))
    if latency.output_tokens_per_s is not None:
        parts.append(_("{speed:.1f} tokens/s", speed=latency.output_tokens_per_s))
    if latency.waited_s >= 0.01:
        parts.append(_("waited {seconds:.1f} s before", seconds=latency.waited_s))
    if attempts > 1:
        parts.append(_("{count} attempts", count=attempts))
    if latency.server:
        own = ", ".join(
            f"{name.removesuffix('_s')} {value:.3f} s" for name, value in latency.server.items()
        )
        parts.append(_("by the server's own clock {times}", times=own))
    return ", ".join(parts)


def _privacy(verdict: Verdict | None) -> str:
    parts = [_level(verdict and replace(verdict, attested=()))]
    if verdict is not None:
        if verdict.region is not None:
            parts.append(_("region {region}", region=verdict.region))
        if verdict.retention_days is not None:
            parts.append(_("kept {days} days", days=verdict.retention_days))
        if verdict.controls:
            parts.append(_("sent {controls}", controls=", ".join(verdict.controls)))
        if verdict.attested:
            parts.append(_("attested by you: {facts}", facts=", ".join(verdict.attested)))
        if verdict.facts_checked is not None:
            parts.append(_("facts checked {date}", date=verdict.facts_checked))
    return ", ".join(parts)


def _ids(receipt: Receipt) -> str:
    if receipt.request_id is None:
        return receipt.id
    return _("{id}, the provider's {request}", id=receipt.id, request=receipt.request_id)

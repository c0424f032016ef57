"""What is said on standard error of a run of `embed`: one line, and the shape of raw numbers."""

from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.receipt_line import receipt_line
from llmctl.output.terminal import safe_line
from llmctl.types import Json, Receipt, UsageSource


def embed_line(receipt: Receipt) -> str:
    """`model · texts · tokens · cost · time · privacy level · what the vectors are like`."""
    model, *rest = receipt_line(receipt).split(" · ")
    parts = [model, _texts(receipt), _tokens(receipt), *rest, kind_of(receipt.details)]
    return safe_line(" · ".join(part for part in parts if part))


def shape_line(receipt: Receipt, where: str) -> str:
    """What a program has to know that reads raw numbers."""
    told = receipt.details
    return safe_line(
        _("{where}: {rows} rows of {size} little-endian floats of 32 bits", where=where,
          rows=told.get("texts"), size=told.get("dimensions") or 0)
    )  # fmt: skip


def kind_of(details: "dict[str, Json] | object") -> str:
    """How long vectors are, by number and by measure."""
    told = details if isinstance(details, dict) else {}
    size, lengths = told.get("dimensions"), told.get("lengths")
    if size is None or not isinstance(lengths, list):
        return ""
    if told.get("normalised"):
        return _("{size} numbers, normalised", size=size)
    return _("{size} numbers, not normalised (lengths {least} to {most})", size=size,
             least=lengths[0], most=lengths[1])  # fmt: skip


def _texts(receipt: Receipt) -> str:
    count = receipt.details.get("texts")
    if not isinstance(count, int):
        return ""
    return _("1 text") if count == 1 else _("{count} texts", count=grouped(count))


def _tokens(receipt: Receipt) -> str:
    tokens = receipt.usage.input_tokens
    if tokens is None:
        return ""
    text = _("{count} tokens", count=grouped(tokens))
    estimated = receipt.usage.source is UsageSource.ESTIMATED
    return f"{text} ({_('estimated')})" if estimated else text

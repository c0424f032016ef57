"""A comparison as plain data for the ledger, and plain data as the comparison it came from."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from llmctl.compare.shape import Candidate, Case, Comparison, Mark, Ruling, Skipped, Trial
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.structure import build
from llmctl.types import COUNTED, Failure, Json, Media, Receipt, Verdict
from llmctl.values import NOTHING, replace

# What of the command line is a text of the user's own.
TYPED = frozenset({"prompt", "system", "variant", "param", "checks", "schema", "stop", "option"})
# What of it may stand beside numbers: names that a run keeps, too, and stable words.
NAMED = frozenset({"models", "judge", "min_pass", "prefer", "where", "currency", "input_format",
                   "profile", "log", "privacy", "require", "secrets", "max_cost",
                   "tag"})  # fmt: skip


def packed(value: Json) -> Json:
    """Values as objects, tuples as lists, bytes as base64."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: packed(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    return value


def unpacked(document: Json) -> Comparison:
    """The comparison, without what a later version has added to it; raises UsageError for one that
    another version of llmctl has written in a way of its own."""
    try:
        return _in_bytes(build(Comparison, document, strict=False))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            _("this comparison was kept by another version of llmctl"),
            hint=_("show it with that one, or compare anew"),
        ) from None


def _in_bytes(comparison: Comparison) -> Comparison:
    """With the bytes of media, which JSON does not have."""
    return replace(
        comparison,
        trials=tuple(replace(one, receipt=_with_bytes(one.receipt)) for one in comparison.trials),
        rulings=tuple(
            replace(one, receipts=tuple(map(_with_bytes, one.receipts)))
            for one in comparison.rulings
        ),
    )


def _with_bytes(receipt: Receipt) -> Receipt:
    if not receipt.media:
        return receipt
    return replace(receipt, media=tuple(map(_decoded, receipt.media)))


def _decoded(media: Media) -> Media:
    data: Json = media.data
    return replace(media, data=b64decode(data)) if isinstance(data, str) else media


def without_texts(comparison: Comparison) -> Comparison:
    """The comparison with its numbers alone: no word of a prompt, an answer, or an error that may
    quote one."""
    return replace(
        comparison,
        candidates=tuple(_unnamed(number, one) for number, one in enumerate(comparison.candidates)),
        cases=tuple(map(_bare, comparison.cases)),
        trials=tuple(_silent(one) for one in comparison.trials),
        rulings=tuple(_unexplained(one) for one in comparison.rulings),
        checks=tuple(map(_kind, comparison.checks)),
        skipped=tuple(Skipped(line=one.line, why="") for one in comparison.skipped),
        asked={name: one for name, one in comparison.asked.items()
               if name in NAMED or isinstance(one, int | float)},
        texts=False,
    )  # fmt: skip


def _unnamed(number: int, candidate: Candidate) -> Candidate:
    """A variant may be a text; it keeps a number."""
    candidate = replace(
        candidate, verdict=_terse(candidate.verdict), refused=_wordless(candidate.refused)
    )
    if candidate.variant is None:
        return candidate
    variant = f"#{number + 1}"
    return replace(candidate, name=f"{candidate.model} · {variant}", variant=variant)


def _bare(case: Case) -> Case:
    """What a row calls itself (a name, an address) is a text, too; its line is not."""
    return Case(id=case.id if case.line is None else str(case.line), line=case.line, text="")


def _terse(verdict: Verdict | None) -> Verdict | None:
    """Without sentences, which may name what stands in a prompt: a host that pictures are on."""
    return verdict and replace(verdict, why=(), notes=())


def _wordless(failure: Failure | None) -> Failure | None:
    return failure and replace(failure, message="")


def _kind(check: str) -> str:
    """`contains` of `contains=Canberra`."""
    for sign in ("=", "<", ">"):
        check = check.partition(sign)[0]
    return check


def _silent(trial: Trial) -> Trial:
    marks = tuple(Mark(check=_kind(one.check), passed=one.passed) for one in trial.marks)
    return replace(trial, receipt=_numbers(trial.receipt), marks=marks)


def _unexplained(ruling: Ruling) -> Ruling:
    receipts = tuple(map(_numbers, ruling.receipts))
    return replace(ruling, why=None, error=_wordless(ruling.error), receipts=receipts)


def _numbers(receipt: Receipt) -> Receipt:
    return replace(
        receipt,
        text="",
        reasoning=None,
        media=(),
        tool_calls=(),
        details={COUNTED: receipt.details[COUNTED]} if COUNTED in receipt.details else NOTHING,
        verdict=_terse(receipt.verdict),
        error=_wordless(receipt.error),
    )

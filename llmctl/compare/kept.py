"""A comparison as plain data for the ledger, and plain data as the comparison it came from."""

from base64 import b64decode
from collections.abc import Container, Iterable, Sequence

from llmctl.compare.checks import SIZES, WRITTEN
from llmctl.compare.shape import Candidate, Case, Comparison, Mark, Ruling, Skipped
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
# Checks whose value is a number or a stable word, and quotes nobody.
HARMLESS = frozenset({*SIZES, "language"})


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


def without_typed(comparison: Comparison) -> Comparison:
    """The comparison with its prompts and answers, but without what was typed beside them and what
    quotes that: checks keep their kind, rows their line, variants that are a text a number. Where
    something was redacted, it may stand in any of these once more."""
    variants = comparison.asked.get("variant") or ()
    return replace(
        comparison,
        candidates=_numbered(comparison.candidates, {one for one in variants if "{{" not in one}),
        cases=tuple(replace(one, id=_place(one)) for one in comparison.cases),
        trials=tuple(replace(one, marks=_kinds(one.marks)) for one in comparison.trials),
        checks=tuple(map(_kind, comparison.checks)),
        skipped=tuple(Skipped(line=one.line, why="") for one in comparison.skipped),
        asked={name: one for name, one in comparison.asked.items() if name not in TYPED},
    )


def without_texts(comparison: Comparison) -> Comparison:
    """The comparison with its numbers alone: no word of a prompt, an answer, or an error that may
    quote one."""
    return replace(
        without_typed(comparison),
        candidates=tuple(map(_terse_one, _numbered(comparison.candidates))),
        cases=tuple(Case(id=_place(one), line=one.line, text="") for one in comparison.cases),
        trials=tuple(
            replace(one, receipt=_numbers(one.receipt), marks=_kinds(one.marks))
            for one in comparison.trials
        ),
        rulings=tuple(_unexplained(one) for one in comparison.rulings),
        asked={name: one for name, one in comparison.asked.items()
               if name in NAMED or isinstance(one, int | float)},
        texts=False,
    )  # fmt: skip


def _numbered(
    candidates: Sequence[Candidate], spared: Container[str] = ()
) -> tuple[Candidate, ...]:
    """A variant may be a text; those not `spared` have a number in its place, the same one with
    every model."""
    variants = [*dict.fromkeys(one.variant for one in candidates if one.variant is not None)]
    made = []
    for one in candidates:
        if one.variant is not None and one.variant not in spared:
            number = f"#{variants.index(one.variant) + 1}"
            one = replace(one, name=f"{one.model} · {number}", variant=number)
        made.append(one)
    return tuple(made)


def _terse_one(candidate: Candidate) -> Candidate:
    return replace(
        candidate, verdict=_terse(candidate.verdict), refused=_wordless(candidate.refused)
    )


def _place(case: Case) -> str:
    """What a row calls itself (a name, an address) is a text, too; its line is not."""
    return case.id if case.line is None else str(case.line)


def _terse(verdict: Verdict | None) -> Verdict | None:
    """Without sentences, which may name what stands in a prompt: a host that pictures are on."""
    return verdict and replace(verdict, why=(), notes=())


def _wordless(failure: Failure | None) -> Failure | None:
    return failure and replace(failure, message="", hint=None)


def _kind(check: str) -> str:
    """`contains` of `contains=Canberra`."""
    found = WRITTEN.fullmatch(check)
    if found is not None and found[2].lower() in HARMLESS:
        return check
    for sign in ("=", "<", ">"):
        check = check.partition(sign)[0]
    return check


def _kinds(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Without the reasons, which quote the answer and what was looked for."""
    return tuple(Mark(check=_kind(one.check), passed=one.passed) for one in marks)


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

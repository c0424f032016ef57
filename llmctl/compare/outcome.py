"""What a whole comparison amounts to for a script: nothing wrong, or one error with its exit
code."""

from collections import Counter
from collections.abc import Mapping, Sequence

from llmctl.compare.shape import Comparison
from llmctl.errors import CheckFailed, LlmctlError, Partial, PrivacyRefused
from llmctl.messages import _
from llmctl.types import Failure


def outcome(comparison: Comparison) -> LlmctlError | None:
    """The error a comparison ends with, None where all went well.

    Every run failed: what failed them, and kept out the models that could not be asked; Partial
    where causes differ. Fewer passed than `min_pass` wants, of any candidate: CheckFailed. Some
    failed, rows were skipped, a model could not be asked for want of a key, or the judge did not do
    its work: Partial. A model that policy keeps out is what was asked for, and no error.
    """
    failures = [one.receipt.error for one in comparison.measured if one.receipt.error is not None]
    if failures and len(failures) == len(comparison.measured):
        return all_failed([*failures, *_kept_out(comparison).values()])
    return _below(comparison) or _in_part(comparison, failures)


def _kept_out(comparison: Comparison) -> Mapping[str, Failure]:
    """Why candidates were not asked that were to be, by their names."""
    return {
        one.name: one.refused
        for one in comparison.candidates
        if one.refused is not None and one.refused.code != PrivacyRefused.code
    }


def named(failures: Sequence[Failure]) -> str:
    """How often which: `3 × rate-limited, 1 × cut-off`."""
    counts = Counter(one.code for one in failures)
    return ", ".join(f"{count} × {code}" for code, count in counts.most_common())


def _hint(failure: Failure) -> str:
    if failure.code == PrivacyRefused.code:
        return _("every run ended so; what holds it back: llmctl privacy check, --secrets redact,"
                 " --redact")  # fmt: skip
    return _("every run ended so; see each: llmctl logs list")


def raised(failure: Failure, *, hint: str | None = None) -> LlmctlError:
    """An error of the kind that `failure` tells of."""
    kinds = {kind.code: kind for kind in LlmctlError.__subclasses__()}
    return kinds.get(failure.code, LlmctlError)(
        failure.message,
        hint=hint,
        reason=failure.reason,
        provider=failure.provider,
        status=failure.status,
        retry_after_s=failure.retry_after_s,
        request_id=failure.request_id,
    )


def all_failed(failures: Sequence[Failure]) -> LlmctlError:
    if len({one.code for one in failures}) == 1:
        return raised(failures[0], hint=_hint(failures[0]))
    return Partial(
        _("every run failed: {causes}", causes=named(failures)),
        hint=_("see each: llmctl logs list"),
    )


def _below(comparison: Comparison) -> LlmctlError | None:
    least = comparison.min_pass
    if least is None:
        return None
    short = []
    for place, candidate in enumerate(comparison.candidates):
        runs = [one for one in comparison.measured if one.candidate == place]
        passed = sum(one.passed for one in runs)
        if runs and passed / len(runs) < least:  # a product would be off: 0.55 * 100 > 55
            short.append(_("{name}: {passed} of {runs}", name=candidate.name, passed=passed,
                           runs=len(runs)))  # fmt: skip
    if not short:
        return None
    return CheckFailed(
        _("fewer than {share:g} % passed ({which})", share=100 * least, which="; ".join(short)),
        hint=_("see why: --format md, or a report with --output report.html"),
    )


def _in_part(comparison: Comparison, failures: Sequence[Failure]) -> LlmctlError | None:
    parts = []
    if failures:
        parts.append(_("{failed} of {runs} runs failed ({causes})", failed=len(failures),
                       runs=len(comparison.measured), causes=named(failures)))  # fmt: skip
    if comparison.skipped:
        parts.append(_("{count} rows were left out", count=len(comparison.skipped)))
    if kept_out := _kept_out(comparison):
        parts.append(_("not asked: {names}", names=", ".join(kept_out)))
    unjudged = [one.error for one in comparison.rulings if one.error is not None]
    if unjudged:
        parts.append(_("{failed} of {count} pairs of answers were not judged ({causes})",
                       failed=len(unjudged), count=len(comparison.rulings),
                       causes=named(unjudged)))  # fmt: skip
    if not parts:
        return None
    hint = _("what came counts; see each run: llmctl logs list") if failures or unjudged else None
    return Partial("; ".join(parts), hint=hint)

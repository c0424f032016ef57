"""What a job will take, before it is sent: for people at the start of a run and with `--dry-run`,
and as JSON."""

from collections.abc import Iterator

from llmctl import __version__
from llmctl.batch.estimating import Estimated, OfModel, Spending
from llmctl.cost.estimate import ESTIMATE
from llmctl.messages import _
from llmctl.output.batch_words import GAP, Labelled, duration, folded, labelled
from llmctl.output.envelope import seconds
from llmctl.output.estimates import reason
from llmctl.output.numbers import grouped
from llmctl.output.receipt_line import amount_text
from llmctl.types import Json

VERSION = 1
MOST_MODELS = 10


# ---- for people --------------------------------------------------------------------------------


def estimate_text(
    found: Estimated, *, bad: int = 0, at_least: bool = False, only_told: bool = False
) -> str:
    """A labelled line for each thing that is known, and what is not is said to be unknown. `bad` is
    how many rows make no call, beside those that are estimated, or `at_least` how many; with
    `only_told` nothing will be sent, so that no pace will be known later."""
    counted = [grouped(found.rows)]
    if bad:
        said = (
            _("cannot be sent: at least {count}", count=grouped(bad)) if at_least else
            _("cannot be sent: {count}", count=grouped(bad))
        )  # fmt: skip
        counted.append(said)
    rows = [(_("rows"), GAP.join(counted))]
    if found.rows:
        rows += [*_tokens(found), *_cost(found)]
        if found.seconds is not None or not only_told:
            rows.append((_("time"), _time(found)))
    if len(found.models) > 1:
        rows += _models(found)
    return labelled(rows)


def _tokens(found: Estimated) -> Iterator[Labelled]:
    """Of the prompts: how long answers get is not known before."""
    known = [one for one in found.models if one.input_tokens is not None]
    if not known:
        yield _("tokens"), _("unknown")
        return
    total = sum(one.input_tokens or 0 for one in known)
    parts = [_("{count} in", count=grouped(total))]
    least = sum(one.input_least or 0 for one in known)
    most = sum(one.input_most or 0 for one in known)
    bounded = all(one.input_most is not None for one in known)
    if bounded and (least, most) != (total, total):
        parts.append(_("between {least} and {most}", least=grouped(least), most=grouped(most)))
    if any(one.method == ESTIMATE for one in known):
        parts.append(_("an estimate"))
    if found.sampled:
        looked = grouped(sum(one.samples for one in known))
        parts.append(_("reckoned from {count} of the rows", count=looked))
    if others := sum(one.rows for one in found.models if one.input_tokens is None):
        parts.append(_("rows nobody can count: {count}", count=grouped(others)))
    left_out = dict.fromkeys(kind for one in known for kind in one.left_out)
    if left_out:
        parts.append(_("not counted: {kinds}", kinds=", ".join(left_out)))
    yield from folded(_("tokens"), parts)


def _cost(found: Estimated) -> Iterator[Labelled]:
    lines = [spending_text(one, currency) for currency, one in sorted(found.sums.items())]
    if found.unpriced:
        why = next((one.why for one in found.models if one.low is None and one.why), None)
        count = grouped(found.unpriced)
        text = _("rows at an unknown price: {count} ({reason})", count=count, reason=reason(why))
        lines.append(text if lines else _("unknown: {reason}", reason=reason(why)))
    if not lines and found.models and all(one.is_free for one in found.models):
        lines.append(_("nothing is charged"))
    for at, line in enumerate(lines or [_("unknown")]):
        yield "" if at else _("cost"), line


def spending_text(one: Spending, currency: str) -> str:
    """`41.20 to 118.00 USD, as a rule up to 80.00 USD`."""
    if one.low is None:
        return _("unknown")
    if one.high is None:
        text = _("from {low} on, without a bound", low=_money(one.low, currency))
        return text if one.usual is None else _with_usual(text, one.usual, currency)
    if one.low == one.high:
        return _money(one.low, currency)
    text = _("{low} to {high}", low=amount_text(one.low), high=_money(one.high, currency))
    if one.usual in (None, one.high):
        return text
    return _with_usual(text, one.usual, currency)


def _with_usual(text: str, usual: str | None, currency: str) -> str:
    return _("{range}, as a rule up to {usual}", range=text, usual=_money(usual or "", currency))


def _money(amount: str, currency: str) -> str:
    return f"{amount_text(amount)} {currency}"


def _time(found: Estimated) -> str:
    if found.seconds is None:
        return _("unknown until the first answers are there")
    return _("about {time} at the present pace", time=duration(found.seconds))


def _models(found: Estimated) -> Iterator[Labelled]:
    order = sorted(found.models, key=lambda one: (-one.rows, one.model))
    for at, one in enumerate(order[:MOST_MODELS]):
        parts = [one.model, _("rows {count}", count=grouped(one.rows)), _of_model(one)]
        yield from folded("" if at else _("models"), parts)
    if len(order) > MOST_MODELS:
        yield "", _("and {count} more", count=len(order) - MOST_MODELS)


def _of_model(one: OfModel) -> str:
    if one.is_free:
        return _("nothing is charged")
    if one.currency is None:
        return _("price unknown")
    return spending_text(one.spending, one.currency)


# ---- for programs ------------------------------------------------------------------------------


def job_estimate_json(found: Estimated) -> dict[str, Json]:
    """Every key is always there; unknown is None, money is a decimal string, times are seconds."""
    return {
        "version": VERSION,
        "llmctl": __version__,
        "rows": found.rows,
        "sampled": found.sampled,
        "seconds": seconds(found.seconds),
        "cost": [
            {"currency": currency, **_spending(one)} for currency, one in sorted(found.sums.items())
        ],
        "unpriced": found.unpriced,
        "models": [_model_json(one) for one in found.models],
    }


def _spending(one: Spending) -> dict[str, Json]:
    return {"low": one.low, "usual": one.usual, "high": one.high}


def _model_json(one: OfModel) -> dict[str, Json]:
    return {
        "model": one.model,
        "rows": one.rows,
        "samples": one.samples,
        "input_tokens": one.input_tokens,
        "input_tokens_least": one.input_least,
        "input_tokens_most": one.input_most,
        "token_method": one.method,
        "not_counted": list(one.left_out),
        "currency": one.currency,
        **_spending(one.spending),
        "free": one.is_free,
        "unknown_because": one.why,
    }

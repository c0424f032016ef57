"""An estimate of what a prompt will cost: as JSON, and in words."""

from llmctl.cost.estimate import Estimate
from llmctl.cost.money import Money
from llmctl.messages import _
from llmctl.output.numbers import grouped
from llmctl.output.receipt_line import amount_text
from llmctl.types import Json
from llmctl.types.amounts import plain


def estimate_json(one: Estimate) -> dict[str, Json]:
    """Every key is always there, unknown is None, money has decimal strings.

    `low` is the input alone (all, where the answer's length is given), `usual` that and a usual
    answer, `high` the most that input and answer may cost. What is not counted (`not_counted`) is
    in none of them, so then there is neither a usual cost nor a most of tokens or money.
    """
    return {
        "input_tokens": one.input_tokens,
        "token_method": one.method,
        "input_tokens_least": one.input_least,
        "input_tokens_most": one.input_most if one.is_bounded else None,
        "output_tokens_usual": one.output_usual,
        "output_tokens_most": one.output_limit,
        "low": money_json(one.low),
        "usual": money_json(one.usual),
        "high": money_json(one.high),
        "price_source": one.price_source,
        "price_date": one.price_date,
        "vat": one.vat,
        "mode": one.mode,
        "not_counted": list(one.left_out),
        "unknown_because": one.why,
    }


def money_json(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": plain(money.amount), "currency": money.currency}


def method_text(one: Estimate, *, calibrated: bool) -> str:
    """Input tokens and how they were counted; `calibrated` says that the model's vocabulary, or one
    like it, is known."""
    count = grouped(one.input_tokens)
    match one.method:
        case "given":
            return _("{count} tokens", count=count)
        case "exact-local":
            return _("{count} tokens, counted here", count=count)
        case "exact-remote":
            return _("{count} tokens, counted by the provider", count=count)
        case _ if calibrated:
            return _("{count} tokens, an estimate ({least} to {most})", count=count,
                     least=grouped(one.input_least), most=grouped(one.input_most))  # fmt: skip
        case _:
            return _("{count} tokens, an estimate on the high side (at least {least}): how this"
                     " model counts is not known", count=count,
                     least=grouped(one.input_least))  # fmt: skip


def answer_text(one: Estimate) -> str:
    """How long the answer may get."""
    if one.output_limit is None:
        return _("of unknown length (limit it with --max-tokens)")
    most = _("at most {count} tokens", count=grouped(one.output_limit))
    if one.output_usual is None or one.output_usual == one.output_limit:
        return most
    return _("{most}, as a rule up to {usual}", most=most, usual=grouped(one.output_usual))


def cost_text(one: Estimate) -> str:
    if one.low is None:
        return _("unknown: {reason}", reason=reason(one.why))
    if one.high is None:
        return _("from {low} on, without a bound", low=money_text(one.low))
    low, high = money_text(one.low), money_text(one.high)
    if low == high:
        return low
    text = _("{low} to {high}", low=low, high=high)
    usual = high if one.usual is None else money_text(one.usual)
    if usual == high:
        return text
    return _("{range}, as a rule up to {usual}", range=text, usual=usual)


def source_text(one: Estimate) -> str:
    """Where the price comes from."""
    if one.price_source == "own hardware":
        return _("runs on your own hardware")
    parts = [one.price_source or ""]
    if one.price_date:
        parts.append(_("checked {date}", date=one.price_date))
    if vat := {"included": _("VAT included"), "excluded": _("without VAT")}.get(one.vat or ""):
        parts.append(vat)
    return ", ".join(parts)


def money_text(money: Money) -> str:
    return f"{amount_text(plain(money.amount))} {money.currency}"


def reason(why: str | None) -> str:
    """Why a cost is not known, in words."""
    match why:
        case "other-host":
            return _('the address is not the provider\'s own (facts = "inherit" says that it costs'
                     " the same there)")  # fmt: skip
        case "model-not-listed":
            return _("the card does not list the model")
        case "mode-not-priced":
            return _("the price of this mode is not known")
        case "passed-on":
            return _("the local server passes it on to a cloud")
        case "price-incomplete":
            return _("the price is only known in part")
        case "usage-not-reported":
            return _("the provider has not said how many tokens it took")
        case "no-answer":
            return _("there was no whole answer")
        case "several":
            return _("it took several requests, which cost an unknown amount or several currencies")
        case _:
            return _("no price is known")

"""Other models and a machine of one's own, for people and as JSON."""

from decimal import Decimal

from llmctl.cli.cost_what_if import Machine, Other
from llmctl.cost.break_even import BreakEven, Hours, Traffic
from llmctl.cost.what_if import Compared, Repriced
from llmctl.messages import _
from llmctl.output.receipt_line import amount_text
from llmctl.output.table import table_text
from llmctl.output.terminal import safe_line
from llmctl.types import Json
from llmctl.types.amounts import plain


def money(amount: Decimal, currency: str) -> str:
    shown = amount_text(f"{amount:f}")
    return f"{shown} {currency}" if amount and currency else shown


def what_if_text(one: Other, repriced: Repriced, day: str) -> str:
    """What the runs would have cost with one model, by what they were paid in."""
    heading = _("What if {model}: {prices}", model=safe_line(one.name), prices=_prices(one, day))
    if not repriced.runs:
        lines = [heading, _("no runs to compare"), *_left_out(repriced)]
        return "\n  ".join(lines) + "\n"
    differences = repriced.differences()
    sign = "± " if repriced.other_tokenizer else ""

    def row(name: str, part: Compared, code: str | None) -> list[str | None]:
        paid = None if code is None else money(part.paid, code)
        more = differences.get(code) if code is not None else None
        plus = "+" if more is not None and more > 0 else ""
        shown = (
            None if more is None else f"{sign}{plus}{money(more, repriced.currency or code or '')}"
        )
        return [name, str(part.runs), paid, sign + money(part.would, repriced.currency), shown]

    rows = [row(code or _("nothing"), repriced.by_currency[code], code)
            for code in sorted(repriced.by_currency)]  # fmt: skip
    if repriced.unpriced.runs:
        rows.append(row(_("unknown"), repriced.unpriced, None))
    headers = [_("paid in"), _("runs"), _("was paid"), _("would cost"), _("difference")]
    lines = [heading, *table_text(headers, rows, right=(1, 2, 3, 4)).splitlines()]
    lines[1:] = [f"  {line}" for line in lines[1:]]
    lines += [f"  {line}" for line in _left_out(repriced)]
    return "".join(line + "\n" for line in lines)


def _prices(one: Other, day: str) -> str:
    charged = one.charged
    if charged.free is not None:
        return _("costs nothing by the token")
    if charged.row is None:
        return _("its price is unknown")
    vat = {
        "included": _("VAT included"),
        "excluded": _("VAT excluded"),
        "none": _("no VAT"),
        "unknown": _("VAT unknown"),
    }[charged.row.vat]
    return _(
        "at the prices of {day} ({currency}, {vat}; checked {checked})",
        day=day,
        currency=charged.row.currency,
        vat=vat,
        checked=charged.row.source.checked,
    )


def _left_out(repriced: Repriced) -> list[str]:
    lines = []
    if repriced.other_tokenizer:
        lines.append(
            _(
                "± counts of another tokenizer, in Russian up to 1.7 times off (runs: {count})",
                count=repriced.other_tokenizer,
            )
        )
    for text, count in (
        (_("left out, without token counts"), repriced.without_counts),
        (_("left out, the price list does not say"), repriced.without_price),
        (_("left out, no text"), repriced.other_kinds),
    ):
        if count:
            lines.append(f"{text}: {count}")
    return lines


def what_if_json(one: Other, repriced: Repriced, day: str) -> dict[str, Json]:
    row = one.charged.row
    currency = repriced.currency or None
    differences = repriced.differences()
    known = bool(repriced.runs)
    return {
        "model": one.name,
        "currency": currency,
        "prices_of": day,
        "price_source": row.source.title if row else one.charged.free,
        "price_date": row.source.checked if row else None,
        "vat": row.vat if row else None,
        "runs": repriced.runs,
        "would": plain(repriced.would) if known else None,
        "paid": [
            {
                "currency": code or None,
                "runs": part.runs,
                "amount": plain(part.paid),
                "would": plain(part.would),
                "difference": plain(differences[code]) if code in differences else None,
            }
            for code, part in sorted(repriced.by_currency.items())
        ],
        "unpriced": {
            "runs": repriced.unpriced.runs,
            "would": plain(repriced.unpriced.would),
        },
        "approximate": repriced.other_tokenizer,
        "without_counts": repriced.without_counts,
        "without_price": repriced.without_price,
        "other_kinds": repriced.other_kinds,
    }


def break_even_text(found: BreakEven, traffic: Traffic, machine: Machine, currency: str) -> str:
    """When the machine is paid off, and everything that this rests on."""
    verdict = _("never: it saves nothing")
    if found.months is not None:
        verdict = _("after {months} months, in {month}", months=f"{found.months:f}",
                    month=found.month or _("the far future"))  # fmt: skip
    rows = [
        (_("{price} paid off", price=str(machine.price)), verdict),
        (_("the ledger covers"), _days(found)),
        (_("paid for APIs"), _("{cost} a month", cost=money(found.api, currency))
         + (_(" or more, runs unpriced: {count}", count=traffic.unpriced)
            if traffic.unpriced else "")),
        (_("energy"), _energy(found, machine, currency)),
        (_("generating"), _hours(found, traffic)),
    ]  # fmt: skip
    if traffic.without_counts:
        rows.append((_("left out"), _("runs without token counts: {count}",
                                      count=traffic.without_counts)))  # fmt: skip
    if not found.keeps_up:
        rows.append((_("too slow"), _("a month has 730 hours: one such machine does not keep up")))
    width = max(len(label) for label, _text in rows)
    heading = _("A machine of your own for {model}", model=safe_line(traffic.local_model))
    listed = "".join(f"  {label:<{width}}  {text}\n" for label, text in rows)
    return f"{heading}\n{listed}  " + _("time for reading prompts is not counted") + "\n"


def _days(found: BreakEven) -> str:
    days = f"{found.days:.1f}"
    if found.is_guess:
        return _("{days} days: less than a week, so this is a guess", days=days)
    return _("{days} days", days=days)


def _energy(found: BreakEven, machine: Machine, currency: str) -> str:
    if found.energy is None:
        return _("not counted: give --power and --kwh")
    return _("{cost} a month ({power} W, {kwh} per kWh)", cost=money(found.energy, currency),
             power=f"{machine.power_w:f}", kwh=str(machine.kwh))  # fmt: skip


def _hours(found: BreakEven, traffic: Traffic) -> str:
    hours = f"{found.hours:.1f}"
    match found.hours_from:
        case Hours.ALWAYS:
            return _("day and night, the most it can: give --tokens-per-s")
        case Hours.GIVEN:
            return _("{hours} h a month at {speed} tokens/s, as given", hours=hours,
                     speed=f"{found.tokens_per_s:f}")  # fmt: skip
        case Hours.MEASURED:
            return _(
                "{hours} h a month at {speed} tokens/s, as measured here (runs: {count})",
                hours=hours,
                speed=f"{found.tokens_per_s:f}",
                count=traffic.speed_runs,
            )


def break_even_json(
    found: BreakEven, traffic: Traffic, machine: Machine, currency: str
) -> dict[str, Json]:
    def per_month(amount: Decimal | None) -> str | None:
        return None if amount is None else plain(round(amount, 6))

    return {
        "model": traffic.local_model,
        "currency": currency,
        "hardware": {"amount": plain(machine.price.amount), "currency": machine.price.currency},
        "power_w": None if machine.power_w is None else float(machine.power_w),
        "kwh": machine.kwh
        and {"amount": plain(machine.kwh.amount), "currency": machine.kwh.currency},
        "days": float(round(found.days, 2)),
        "is_guess": found.is_guess,
        "api_per_month": per_month(found.api),
        "unpriced": traffic.unpriced,
        "without_counts": traffic.without_counts,
        "energy_per_month": per_month(found.energy),
        "output_tokens_per_month": int(found.output_tokens),
        "hours_per_month": float(round(found.hours, 2)),
        "hours_from": found.hours_from,
        "tokens_per_s": None if found.tokens_per_s is None else float(found.tokens_per_s),
        "keeps_up": found.keeps_up,
        "months": None if found.months is None else f"{found.months:f}",
        "month": found.month,
    }

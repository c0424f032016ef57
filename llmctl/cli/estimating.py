"""What `llmctl cost estimate` does: where a prompt would go, its tokens, its price, both forms."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from llmctl import settings
from llmctl.cost.asked import copies
from llmctl.cost.estimate import GIVEN, Estimate, estimated, exactly
from llmctl.cost.money import Money
from llmctl.cost.prices import STANDARD
from llmctl.cost.tariff import Tariff, tariff
from llmctl.engine.placed import Place, placed
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.estimates import (
    answer_text,
    cost_text,
    estimate_json,
    method_text,
    money_text,
    source_text,
)
from llmctl.output.streams import err, out
from llmctl.output.terminal import safe_line
from llmctl.settings import Loaded
from llmctl.types import Chat, Json, Media, Role, Text, Usage, message
from llmctl.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The flags of the command."""

    prompt: str | None = None
    model: str | None = None
    system: str | None = None
    attachment: list[str] | None = None
    attachment_type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    max_tokens: int | None = None
    mode: str | None = None
    at: str | None = None
    currency: str | None = None
    option: list[str] | None = None
    remote: bool = False
    encoding: str | None = None

    def check(self) -> None:
        """Raises UsageError for flags that do not go together."""
        if self.input_tokens is not None:
            if self.prompt is not None or self.system is not None or self.attachment or self.remote:
                raise UsageError(
                    _("--input-tokens stands in place of a prompt"), hint=_("leave one of them out")
                )
            if (self.cached_tokens or 0) > self.input_tokens:
                raise UsageError(_("--cached-tokens are a part of --input-tokens, not more"))
        elif self.cached_tokens is not None:
            raise UsageError(_("--cached-tokens are a part of --input-tokens"))
        if self.cached_tokens is not None and self.output_tokens is None:
            raise UsageError(_("with --cached-tokens give --output-tokens, too"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`russian` is what a thousand characters of Russian cost as input, None where no price is
    known, `rates` are what the amounts were converted by."""

    place: Place
    estimate: Estimate
    at: datetime
    russian: Money | None
    rates: list[Json]

    def json(self) -> dict[str, Json]:
        body = estimate_json(self.estimate)
        return {
            "version": 1,
            "model": self.place.name,
            **body,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "rates": self.rates,
        }


def estimated_for(asked: Question) -> Found:
    """Raises UsageError, NotFound; with --remote also what sending raises."""
    from llmctl.cli.flags import Flags, request_fields

    asked.check()
    at = moment(asked.at)
    loaded = settings.load()
    name = asked.model or loaded.settings.defaults.model or _embedded(loaded)
    place = placed(name, loaded)
    options = {**loaded.settings.defaults.options, **request_fields(asked.option)}
    terms = replace(place.terms, options=options)
    call = Chat(
        place.model,
        tuple(_messages(asked, loaded)),
        max_tokens=asked.max_tokens or loaded.settings.defaults.max_tokens,
        options=options,
    )
    charged = tariff(place.card, place.model_card, terms, at, mode=asked.mode)
    if asked.input_tokens is not None and asked.output_tokens is not None:
        found = _exactly_given(asked, asked.input_tokens, asked.output_tokens, call, charged)
    else:
        counted = None
        if asked.input_tokens is not None:
            counted = exactly(asked.input_tokens, GIVEN)
        elif asked.remote:
            from llmctl.cli.counting import counted_there

            counted = counted_there(name, call, loaded, Flags())
        from llmctl.cli.token_count import as_embed

        found = estimated(
            place.card,
            place.model_card,
            as_embed(call, place) or call,
            at=at,
            mode=asked.mode,
            terms=terms,
            exact=True,
            counted=counted,
            output=asked.output_tokens,
        )
    whole = Found(
        place=place, estimate=found, at=at, russian=_russian(place, found, charged), rates=[]
    )
    return whole if asked.currency is None else _converted(whole, asked.currency, loaded)


def moment(text: str | None) -> datetime:
    """A moment of UTC; raises UsageError."""
    if text is None:
        return datetime.now(UTC)
    try:
        when = datetime.fromisoformat(text.strip())
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the second for what is before the year 1 of UTC
        raise UsageError(
            _("{flag} does not understand {text}", flag="--at", text=text),
            hint=_("such as 2026-12-01 or 2026-12-01T15:00Z"),
        ) from None


def _embedded(loaded: Loaded) -> str:
    from llmctl.cli.default_model import embedded

    return embedded(loaded)


def _messages(asked: Question, loaded: Loaded) -> Iterator[Json]:
    """The prompt from argument and standard input with its files, unless its tokens are given."""
    if asked.input_tokens is not None:
        return
    from llmctl.cli.asked import with_files
    from llmctl.cli.stdin import joined

    system = asked.system or loaded.settings.defaults.system
    if system:
        yield message(Role.SYSTEM, system)
    encoding = asked.encoding or loaded.settings.output.encoding
    files = asked.attachment or []
    attached: tuple[Text | Media, ...] = ()
    if files:
        from llmctl.cli.attached import read_attached, refuse_stdin_twice

        refuse_stdin_twice(files, asked.prompt, no_stdin=False)
        attached = read_attached(
            files, encoding=encoding, quiet=False, as_type=asked.attachment_type
        )
    example = 'llmctl cost estimate "Why is the sky blue?"'
    prompt = joined(
        asked.prompt, read="-" not in files, encoding=encoding, quiet=False, example=example
    )
    yield from with_files(prompt, attached)


def _exactly_given(
    asked: Question, given: int, answer: int, call: Chat, charged: Tariff
) -> Estimate:
    """The one amount of a usage that is known: `answer` is the length of each answer."""
    cost = charged.cost(Usage(given, answer * copies(call), asked.cached_tokens))
    money = None if cost.amount is None else Money(Decimal(cost.amount), cost.currency or "USD")
    row = charged.row
    return Estimate(
        input_tokens=given, input_least=given, input_most=given, method=GIVEN,
        output_limit=answer, output_usual=answer, low=money, usual=money, high=money,
        price_source=cost.price_source, price_date=cost.price_date,
        vat=row.vat if row else None, mode=charged.mode, why=cost.why,
    )  # fmt: skip


def _converted(found: Found, currency: str, loaded: Loaded) -> Found:
    """All amounts in one currency, and the rates used; raises what a missing rate raises."""
    from llmctl.cli.cost_exchange import Exchanging

    exchange = Exchanging(currency, loaded, datetime.now(UTC).date())

    def done(money: Money | None) -> Money | None:
        if money is None:
            return None
        return Money(exchange(money.amount, money.currency), exchange.currency)

    one = found.estimate
    one = replace(one, low=done(one.low), usual=done(one.usual), high=done(one.high))
    russian = done(found.russian)
    for note in exchange.notes():
        err(f"llmctl: {note}\n")
    return replace(found, estimate=one, russian=russian, rates=exchange.json())


def _russian(place: Place, one: Estimate, charged: Tariff) -> Money | None:
    """What a thousand characters of Russian more would cost in the input of this call, by which
    models compare fairly."""
    from llmctl.cost.prices import hour_factor, rates_at
    from llmctl.cost.tokens import russian

    row = charged.row
    rate = None if row is None else rates_at(row, one.input_tokens, charged.mode).input
    if row is None or rate is None or one.low is None:
        return None
    factor = hour_factor(row, charged.at) * Decimal(charged.factor)
    return Money(rate * factor * russian(place.model_card), row.currency)


# ------------------------------------------------------------------------------------ for people


def show(found: Found) -> None:
    """A labelled line for each thing that is known, or why it is not."""
    rows = list(_rows(found))
    width = max(len(label) for label, _text in rows)
    out("".join(f"{label:<{width}}  {safe_line(text)}\n" for label, text in rows))


def _rows(found: Found) -> Iterator[tuple[str, str]]:
    one, card = found.estimate, found.place.model_card
    calibrated = card is not None and bool(card.tokenizer or card.tokenizer_like)
    mode = "" if one.mode in (None, STANDARD) else f" ({one.mode})"
    yield _("model"), found.place.name + mode
    yield _("input"), method_text(one, calibrated=calibrated)
    if one.left_out:
        yield "", _("not counted: {kinds}", kinds=", ".join(one.left_out))
    yield _("answer"), answer_text(one)
    yield _("cost"), cost_text(one)
    if one.price_source is not None:
        yield _("price by"), source_text(one)
    for rate in found.rates:
        yield _("rate"), _("1 {one} = {rate} {other} on {day} ({source})", one=rate["from"],
                           rate=rate["rate"], other=rate["to"], day=rate["date"],
                           source=rate["source"])  # fmt: skip
    if card is not None and found.russian is not None:
        from llmctl.cost.tokens import russian

        text = {"tokens": russian(card), "amount": money_text(found.russian)}
        yield (
            _("in Russian"),
            _("1,000 characters of input: about {tokens} tokens, {amount}", **text)
            if calibrated
            else _("1,000 characters of input: up to {tokens} tokens, {amount}", **text),
        )

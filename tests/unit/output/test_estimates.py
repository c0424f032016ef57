"""An estimate in words."""

from decimal import Decimal

import pytest

from llmctl.cost.estimate import ESTIMATE, Estimate
from llmctl.cost.money import Money
from llmctl.output import estimates, numbers
from llmctl.output.estimates import answer_text, cost_text, method_text
from llmctl.output.numbers import grouped


def estimate(low: str, usual: str | None, high: str) -> Estimate:
    def usd(amount: str | None) -> Money | None:
        return None if amount is None else Money(Decimal(amount), "USD")

    return Estimate(
        input_tokens=128_000, input_least=100_000, input_most=160_000, method=ESTIMATE,
        output_limit=64_000, output_usual=8_000, low=usd(low), usual=usd(usual), high=usd(high),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "usual", "high", "text"),
    [
        ("0.001", "0.002", "0.004", "0.001 USD to 0.004 USD, as a rule up to 0.002 USD"),
        # What looks the same is not said twice.
        ("0.001", "0.004201", "0.004204", "0.001 USD to 0.0042 USD"),
        ("0.00420", "0.004201", "0.004204", "0.0042 USD"),
        ("0.001", None, "0.004", "0.001 USD to 0.004 USD"),
    ],
)
def test_amounts_are_compared_as_they_are_shown(
    low: str, usual: str | None, high: str, text: str
) -> None:
    assert cost_text(estimate(low, usual, high)) == text


def test_thousands_are_parted_as_the_language_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one = estimate("1", "2", "3")
    assert [grouped(number) for number in (0, 999, 1_000, 1_234_567)] == [
        "0", "999", "1,000", "1,234,567",
    ]  # fmt: skip
    assert answer_text(one) == "at most 64,000 tokens, as a rule up to 8,000"

    def translated(message: str, **values: object) -> str:
        return message.replace("1,000", "1\u00a0000").format(**values)

    for module in (numbers, estimates):
        monkeypatch.setattr(module, "_", translated)
    assert grouped(1_234_567) == "1\u00a0234\u00a0567"
    assert answer_text(one) == "at most 64\u00a0000 tokens, as a rule up to 8\u00a0000"
    assert "128\u00a0000" in method_text(one, calibrated=True)
    assert "100\u00a0000" in method_text(one, calibrated=False)


def test_an_estimate_says_its_own_ends() -> None:
    """They are wider than a fifth where a text is short: what stands around it weighs more."""
    short = Estimate(input_tokens=13, input_least=5, input_most=15, method=ESTIMATE)

    assert method_text(short, calibrated=True) == "13 tokens, an estimate (5 to 15)"

"""`llmctl cost estimate`, as it is shown."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.estimating import Question, estimated_for, show

RATES = '[rates]\n"USD/RUB" = { rate = "80", date = "2026-11-24", source = "bank" }\n'


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.chdir(tmp_path)
    file = settings.user_file()
    file.parent.mkdir(parents=True)
    file.write_text(RATES, encoding="utf-8")


def test_every_amount_is_in_the_currency_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = Question(model="openai/gpt-6-luna", input_tokens=1_000)
    plain = estimated_for(asked)
    found = estimated_for(Question(model=asked.model, input_tokens=1_000, currency="RUB"))
    assert plain.russian is not None
    assert found.russian is not None
    assert (found.russian.currency, found.russian.amount) == ("RUB", plain.russian.amount * 80)

    show(found)

    shown = capsys.readouterr().out
    assert "in Russian" in shown
    assert "USD" not in shown.replace("1 USD = 80 RUB", "")


def test_text_in_the_fields_of_the_request_is_in_the_estimate() -> None:
    tools = '[{"type": "function", "function": {"name": "f", "description": "%s"}}]' % (
        "word " * 2_000
    )
    asked = Question(model="openai/gpt-6-luna", prompt="hi", option=[f"tools={tools}"])
    plain = Question(model="openai/gpt-6-luna", prompt="hi")

    more = estimated_for(asked).estimate.input_tokens - estimated_for(plain).estimate.input_tokens

    assert 1_800 < more < 2_500


def test_several_answers_and_a_limit_written_as_a_float_are_in_it() -> None:
    asked = Question(model="openai/gpt-6-luna", input_tokens=0, option=[
        "max_completion_tokens=1e3", "n=5.0"])  # fmt: skip
    one = estimated_for(asked).estimate

    assert one.output_limit == 1_000
    assert one.high is not None
    assert one.token_price is not None
    assert one.high.amount == one.token_price * 1_000
    single = Question(model="openai/gpt-6-luna", input_tokens=0, max_tokens=1_000)
    cost = estimated_for(single).estimate.high
    assert cost is not None
    assert one.high.amount == cost.amount * Decimal(5)


def test_each_of_several_answers_of_a_given_length_is_paid() -> None:
    def cost(*options: str) -> Decimal:
        asked = Question(
            model="openai/gpt-6-luna", input_tokens=0, output_tokens=100, option=list(options)
        )
        found = estimated_for(asked).estimate.high
        assert found is not None
        return found.amount

    assert cost("candidateCount=8") == cost() * 8 > 0


@pytest.mark.parametrize(
    ("model", "how", "factor"),
    [
        ("openai/gpt-6-luna", {"mode": "batch"}, "0.5"),
        ("openai/gpt-6-luna", {"input_tokens": 272_001}, "2"),
        ("deepseek/deepseek-v4-pro", {"at": "2026-12-01T02:00Z"}, "2"),
    ],
    ids=["mode", "threshold", "hour"],
)
def test_the_line_in_russian_has_the_rates_of_the_call(
    model: str, how: dict[str, Any], factor: str
) -> None:
    """By the cards: half in a batch, twice above 272,000 tokens, twice from 01:00 to 04:00 UTC."""
    usual: dict[str, Any] = {"model": model, "input_tokens": 100, "at": "2026-12-01T00:00Z"}
    plain = estimated_for(Question(**usual)).russian
    found = estimated_for(Question(**{**usual, **how})).russian

    assert plain is not None
    assert found is not None
    assert found.amount == plain.amount * Decimal(factor)

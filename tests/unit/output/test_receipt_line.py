from dataclasses import replace

import pytest

from llmctl.output.receipt_line import receipt_line, usage_text
from llmctl.types import OWN_HARDWARE, Cost, CostKind, Latency, Level, Usage, UsageSource, Verdict
from tests.unit.output.shared import EMPTY, FULL


def test_model_cost_time_and_privacy() -> None:
    assert receipt_line(FULL) == (
        "openai/gpt-6-luna-2026-09-01 · 0.0000022 USD · 0.91 s · no-training (attested by you)"
    )


def test_what_is_unknown_is_said() -> None:
    assert receipt_line(EMPTY) == "local/tiny · price unknown · privacy unknown"


@pytest.mark.parametrize("amount", [None, "0", "0.00"])
def test_a_model_on_this_device_costs_nothing(amount: str | None) -> None:
    receipt = replace(
        EMPTY,
        provider="local",
        cost=Cost(amount),
        latency=Latency(total_s=75.4),
        verdict=Verdict(True, Level.DEVICE),
    )

    assert receipt_line(receipt) == "local/tiny · 0 USD (runs here) · 1 min 15 s · device"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("12.3456", "12.35"),
        ("0.5", "0.50"),
        ("0.0123", "0.012"),
        ("0.00012999", "0.00013"),
        ("2.2E-6", "0.0000022"),
        ("0", "0"),
        ("1000", "1000.00"),
        ("much", "much"),
    ],
)
def test_amounts_as_people_write_them(amount: str, shown: str) -> None:
    receipt = replace(EMPTY, cost=Cost(amount, "RUB", CostKind.REPORTED))

    assert receipt_line(receipt).split(" · ")[1] == f"{shown} RUB"


def test_a_model_name_cannot_drive_the_terminal() -> None:
    assert receipt_line(replace(EMPTY, resolved="x\x1b[2J\n")).startswith("x␛[2J  · ")


def test_the_whole_receipt() -> None:
    assert usage_text(FULL) == (
        "model    openai/gpt-6-luna → openai/gpt-6-luna-2026-09-01\n"
        "tokens   12 (4 cached, 1 written to the cache) in, 2 out\n"
        "cost     0.0000022 USD, computed (openai price page, 2026-11-23)\n"
        "time     0.91 s in all, connected after 0.031 s, first byte after 0.300 s,"
        " first token after 0.412 s, 41.0 tokens/s, by the server's own clock queue 0.012 s\n"
        "privacy  no-training, region US, kept 30 days, sent store=false, attested by you: dpa,"
        " facts checked 2026-11-23\n"
        "id       019a0c1d2e3f00112233, the provider's req_1\n"
    )


def test_the_whole_receipt_of_hardly_anything() -> None:
    receipt = replace(
        EMPTY,
        usage=Usage(None, 3, source=UsageSource.ESTIMATED),
        latency=Latency(reused=True, waited_s=2.0, load_s=0.5),
        attempts=2,
    )

    assert usage_text(receipt) == (
        "model    local/tiny\n"
        "tokens   ? in, 3 out, estimated\n"
        "cost     price unknown\n"
        "time     connection reused, model loaded in 0.50 s, waited 2.0 s before, 2 attempts\n"
        "privacy  privacy unknown\n"
        "id       1\n"
    )


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (Cost(why="other-host"), "price unknown (the address is not the provider's own"),
        (Cost(why="price-incomplete"), "price unknown (the price is only known in part)"),
        (Cost("0", "USD", CostKind.COMPUTED, OWN_HARDWARE), "(runs on your own hardware)"),
    ],
)
def test_why_a_cost_is_what_it_is(cost: Cost, told: str) -> None:
    assert told in usage_text(replace(EMPTY, cost=cost))

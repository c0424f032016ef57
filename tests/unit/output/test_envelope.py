import json
import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl import __version__
from llmctl.output import streams
from llmctl.output.envelope import document, envelope, json_text
from llmctl.values import replace
from tests.unit.output.shared import EMPTY, FAILED, FULL


def test_a_full_receipt_has_the_promised_shape() -> None:
    assert json.loads(json_text(envelope(FULL))) == {
        "version": 1,
        "llmctl": __version__,
        "id": "019a0c1d2e3f00112233",
        "started_at": "2026-11-23T15:00:00Z",
        "text": "Blue.",
        "reasoning": "Rayleigh",
        "media": [
            {
                "media_type": "image/png",
                "data": "iVBORw==",
                "url": None,
                "name": "sky.png",
                "path": None,
                "bytes": 4,
            }
        ],
        "model": {
            "requested": "openai/gpt-6-luna",
            "resolved": "gpt-6-luna-2026-09-01",
            "provider": "openai",
        },
        "finish_reason": "stop",
        "tool_calls": [{"id": "c1", "name": "look", "arguments": '{"at": "sky"}'}],
        "usage": {
            "input_tokens": 12,
            "output_tokens": 2,
            "cached_tokens": 4,
            "cache_write_tokens": 1,
            "reasoning_tokens": 0,
            "source": "reported",
        },
        "cost": {
            "amount": "0.0000022",
            "currency": "USD",
            "kind": "computed",
            "price_source": "openai price page",
            "price_date": "2026-11-23",
            "unknown_because": None,
        },
        "latency": {
            "connect_s": 0.0312,
            "reused": False,
            "first_byte_s": 0.3,
            "ttft_s": 0.4125,
            "total_s": 0.913,
            "waited_s": 0.0,
            "load_s": None,
            "output_tokens_per_s": 41.0,
            "server": {"queue_s": 0.0123},
            "auth_s": None,
        },
        "privacy": {
            "level": "no-training",
            "region": "US",
            "retention_days": 30,
            "controls": ["store=false"],
            "attested": ["dpa"],
            "redactions": {"email": 2},
            "facts_checked": "2026-11-23",
        },
        "request_id": "req_1",
        "attempts": 1,
        "details": {"system_fingerprint": "fp"},
        "error": None,
    }


def keys(value: object) -> object:
    """The keys of nested objects, without those that hold whatever a provider says."""
    if not isinstance(value, dict):
        return None
    free = ("details", "redactions", "server", "error")
    return {key: None if key in free else keys(item) for key, item in value.items()}


def test_every_key_is_there_when_nothing_is_known() -> None:
    nothing = json.loads(json_text(envelope(EMPTY)))

    assert keys(nothing) == keys(json.loads(json_text(envelope(FULL))))
    assert nothing["finish_reason"] is None
    assert nothing["privacy"] == {
        "level": None,
        "region": None,
        "retention_days": None,
        "controls": [],
        "attested": [],
        "redactions": {},
        "facts_checked": None,
    }
    assert nothing["cost"]["amount"] is None
    assert nothing["details"] == {}


def test_an_error_has_the_promised_shape() -> None:
    assert FAILED.error is not None
    told = replace(FAILED, error=replace(FAILED.error, hint="wait a little"))
    assert envelope(told)["error"] == {
        "code": "rate-limited",
        "exit_code": 8,
        "reason": "rate",
        "retryable": True,
        "provider": "openai",
        "status": 429,
        "message": "slow down",
        "retry_after_s": 20.0,
        "request_id": "req_2",
        "hint": "wait a little",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ж日", '"ж日"'),
        ("\x1b\x07\n", '"\\u001b\\u0007\\n"'),
        ("\x7f\x9b\u202e\u2028", '"\\u007f\\u009b\\u202e\\u2028"'),
        ("\U000e0041", '"\\udb40\\udc41"'),
        ("\ud83d", '"\\ud83d"'),
        (MappingProxyType({"a": (1, 2)}), '{"a": [1, 2]}'),
        ({"a": [math.nan, math.inf, 1.5]}, '{"a": [null, null, 1.5]}'),
    ],
)
def test_json_is_harmless_and_always_json(value: object, text: str) -> None:
    assert json_text(value) == text


def test_a_pair_in_two_halves_reads_as_its_character() -> None:
    assert json.loads(json_text("\ud83d" + "\ude00")) == "😀"


def test_without_unicode_everything_is_escaped() -> None:
    assert json_text({"a": "ж😀"}, ascii_only=True) == '{"a": "\\u0436\\ud83d\\ude00"}'


@given(st.text())
def test_json_gives_the_text_back_on_one_line(text: str) -> None:
    line = json_text(text)

    assert json.loads(line) == text
    assert len(line.splitlines()) == 1


def test_a_document_is_one_line_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    document({"version": 1, "text": "ж"})

    assert capsys.readouterr().out == '{"version": 1, "text": "ж"}\n'


def test_a_document_survives_a_narrow_encoding(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    streams.use_encoding("cp1251")
    document("日")

    assert capsysbinary.readouterr().out == b'"\\u65e5"\n'

"""What is left of tokens that were paid in advance, in words."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, HttpCall
from llmctl.engine.balance import balance_of
from llmctl.errors import AuthFailed, ProviderFailed

GIGACHAT = DIALECTS["gigachat"]()


def told(answer: Any) -> str | None:
    async def fetch(dialect: Any, http: HttpCall) -> Any:
        assert (http.method, http.path, http.body) == ("GET", "balance", None)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(balance_of(GIGACHAT, fetch))


def balance(**left: float) -> Any:
    return {"balance": [{"usage": name, "value": value} for name, value in left.items()]}


def test_each_model_has_its_own() -> None:
    assert told(balance(GigaChat=900000, Max=50000.0)) == (
        "tokens left: GigaChat 900,000, Max 50,000"
    )


def test_what_is_used_up_is_said_with_what_helps() -> None:
    text = told(balance(GigaChat=7, Max=0))

    assert text == (
        "tokens left: GigaChat 7, Max 0; used up: Max (buy more, or ask another model with -m)"
    )


@pytest.mark.parametrize(
    "answer", [AuthFailed("no", status=403), {"balance": []}, {}, [], {"balance": [{"value": 3}]}]
)
def test_who_pays_as_they_go_has_none_and_that_is_no_error(answer: Any) -> None:
    assert told(answer) == "pay as you go: no balance"


def test_other_refusals_are_errors() -> None:
    for error in (AuthFailed("no", status=401), ProviderFailed("no", status=500)):
        with pytest.raises(type(error)):
            told(error)


def test_who_has_no_word_for_it_is_not_asked() -> None:
    async def fetch(dialect: Any, http: HttpCall) -> Any:
        raise AssertionError("asked")

    assert asyncio.run(balance_of(DIALECTS["openai_chat"](), fetch)) is None


@pytest.mark.skipif("LLMCTL_CONFORMANCE_DIR" not in os.environ, reason="needs the recordings")
def test_the_fixture_of_the_official_package() -> None:
    folder = Path(os.environ["LLMCTL_CONFORMANCE_DIR"]) / "traffic" / "gigachat-fixtures"

    assert told(json.loads((folder / "balance.json").read_text())) == (
        "tokens left: embeddings 9,999,967, GigaChat-Pro 991,490, GigaChat-Max 50,000,"
        " GigaChat 900,000"
    )

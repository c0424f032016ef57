"""`--fill-mask`: what goes with it, and the sign for a gap that each model has of its own."""

from typing import Any

import pytest

from llmctl.cli.asked import Asked, make_call
from llmctl.cli.filling import with_right_sign
from llmctl.cli.stdin import Prompt
from llmctl.errors import Rejected, UsageError
from llmctl.settings import Settings
from llmctl.types import Fill

TEXT = "Paris is the [MASK] of France."


def made(text: str, **flags: Any) -> Any:
    asked = Asked(fill_mask=True, **flags)
    asked.check()
    prompt = Prompt(None, text)
    return make_call(
        asked, prompt, Settings(), rendered=None, history=(), schema=None, model="huggingface/m"
    )


def test_the_call_has_the_text_and_the_options_and_nothing_else() -> None:
    call = made(TEXT, option=["top_k=3"])

    assert call == Fill("huggingface/m", TEXT, options={"top_k": 3})


def test_the_other_sign_is_taken_too() -> None:
    assert made("Paris is the <mask> of France.").prompt == "Paris is the <mask> of France."


@pytest.mark.parametrize("text", ["Paris is the capital.", "[mask", "MASK"])
def test_a_text_without_a_gap_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no \\[MASK\\] in the text"):
        made(text)


@pytest.mark.parametrize(
    ("flag", "given"),
    [
        ("--complete", {"complete": True}),
        ("-s", {"system": "Be brief."}),
        ("-t", {"template": "summarise"}),
        ("--schema", {"schema": "{}"}),
        ("-a", {"attachment": ["a.txt"]}),
        ("-c", {"continue_": True}),
        ("-c", {"cid": "01"}),
        ("--max-tokens", {"max_tokens": 3}),
        ("--temperature", {"temperature": 0.0}),
        ("--stop", {"stop": ["a"]}),
    ],
)
def test_what_an_encoder_has_no_use_for_is_refused(flag: str, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"no use for {flag}"):
        made(TEXT, **given)


def refusal(sign: str) -> Rejected:
    return Rejected("no", details={"mask": sign})


def test_the_sign_that_an_error_names_takes_the_place_of_any_other() -> None:
    call = Fill("m", "[MASK] and <mask> and [MASK].", options={"top_k": 2})

    mended = with_right_sign(call, refusal("<extra>"))

    assert mended == Fill("m", "<extra> and <extra> and <extra>.", options={"top_k": 2})


def test_a_sign_that_was_there_is_not_tried_again() -> None:
    assert with_right_sign(Fill("m", "a <mask>"), refusal("<mask>")) is None
    assert with_right_sign(Fill("m", TEXT), Rejected("no")) is None
    assert with_right_sign(Fill("m", TEXT), None) is None

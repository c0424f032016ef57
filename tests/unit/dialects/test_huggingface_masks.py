"""Texts with gaps for encoder models, in the form of the fill-mask task of hf-inference."""

import json
from typing import Any

import pytest

from llmctl.dialects import Frame, Framing, HttpCall
from llmctl.dialects.huggingface import HuggingFace
from llmctl.errors import ProviderFailed, Rejected, UsageError
from llmctl.types import Fill, Finished, FinishReason, Json, Quirks, TextDelta

TEXT = "Paris is the [MASK] of France."
# The answer that the task's documentation has for it, its scores cut to four digits.
DOCUMENTED = [
    {"score": 0.9971, "token": 3007, "token_str": "capital",
     "sequence": "paris is the capital of france."},
    {"score": 0.0012, "token": 2540, "token_str": "heart",
     "sequence": "paris is the heart of france."},
]  # fmt: skip


def encoded(call: Fill, way: str = "router") -> HttpCall:
    return HuggingFace().encode(call, Quirks(settings={"text_generation": way}))


def read(answer: Json) -> list[Any]:
    decoder = HuggingFace().decoder(Fill("m", TEXT), Quirks())
    events = list(decoder.feed(Frame(json.dumps(answer))))
    assert decoder.done
    assert list(decoder.end()) == []
    return events


@pytest.mark.parametrize("model", ["google-bert/bert-base-uncased", "distilbert:hf-inference"])
def test_hf_inference_is_asked(model: str) -> None:
    http = encoded(Fill(model, TEXT))

    name = model.partition(":")[0]
    assert (http.method, http.path) == ("POST", f"../hf-inference/models/{name}")
    assert (http.body, http.framing) == ({"inputs": TEXT}, Framing.WHOLE)


def test_an_endpoint_of_ones_own_answers_at_its_root() -> None:
    assert encoded(Fill("m", TEXT), "completions").path == "../"
    assert encoded(Fill("m", TEXT), "tgi").path == "../"


def test_options_are_parameters() -> None:
    options = {"targets": ["capital"], "top_k": 2, "options": {"wait_for_model": True}}

    body = encoded(Fill("m", TEXT, count=5, options=options)).body

    assert body == {
        "inputs": TEXT,
        "options": {"wait_for_model": True},
        "parameters": {"top_k": 2, "targets": ["capital"]},
    }


def test_another_partner_of_the_router_is_refused() -> None:
    with pytest.raises(UsageError, match="groq") as caught:
        encoded(Fill("org/m:groq", TEXT))

    assert caught.value.hint == "leave it out: org/m"


def test_guesses_are_lines_and_details() -> None:
    *lines, finished = read(DOCUMENTED)

    assert lines == [
        TextDelta("0.9971\tcapital\tparis is the capital of france.\n"),
        TextDelta("0.0012\theart\tparis is the heart of france.\n"),
    ]
    assert finished == Finished(
        FinishReason.STOP,
        model="m",
        details={
            "guesses": [
                {"score": 0.9971, "word": "capital", "text": "paris is the capital of france."},
                {"score": 0.0012, "word": "heart", "text": "paris is the heart of france."},
            ]
        },
    )


def test_the_likeliest_comes_first_and_a_leading_blank_is_no_part_of_a_word() -> None:
    """RoBERTa's words begin with the blank before them."""
    low = {"score": 0.1, "token": 1, "token_str": " heart", "sequence": "a"}
    high = {"score": 0.7, "token": 2, "token_str": " capital", "sequence": "b"}

    first, second, _finished = read([low, high])

    assert (first.text, second.text) == ("0.7000\tcapital\tb\n", "0.1000\theart\ta\n")


def test_a_tab_or_a_line_feed_in_a_text_does_not_break_the_lines() -> None:
    one = {"score": 1, "token": 1, "token_str": "a\tb", "sequence": "x\ny\tz"}

    line, finished = read([one])

    assert line.text == "1.0000\ta b\tx y z\n"
    assert finished.details["guesses"][0]["text"] == "x\ny\tz"


def test_each_of_several_gaps_has_its_guesses() -> None:
    first, blank, second, third, finished = read([DOCUMENTED[:1], DOCUMENTED])

    assert (first.text[:6], blank.text, second.text[:6], third.text[:6]) == (
        "0.9971", "\n", "0.9971", "0.0012",
    )  # fmt: skip
    assert [one["gap"] for one in finished.details["guesses"]] == [1, 2, 2]


@pytest.mark.parametrize("answer", [[], [[], []], {}, [{"token": 3}], "words", [DOCUMENTED, []]])
def test_an_answer_without_guesses_is_an_error_that_does_not_pass(answer: Json) -> None:
    with pytest.raises(ProviderFailed) as caught:
        read(answer)

    assert (caught.value.reason, caught.value.retryable) == ("no-guesses", False)


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("No mask_token (<mask>) found on the input", "<mask>"),
        ("No mask_token ([MASK]) found on the input", "[MASK]"),
        ("mask_token '<mask>' not found in the text", "<mask>"),
    ],
)
def test_an_error_that_names_the_models_sign(said: str, sign: str) -> None:
    error = HuggingFace().failure(400, {}, json.dumps({"error": said}))

    assert isinstance(error, Rejected)
    assert (error.details, error.reason, error.status) == ({"mask": sign}, "mask", 400)
    assert sign in (error.hint or "")


def test_an_error_inside_an_answer_that_names_the_models_sign() -> None:
    with pytest.raises(Rejected) as caught:
        read({"error": "No mask_token (<mask>) found on the input"})

    assert caught.value.details == {"mask": "<mask>"}


def test_an_error_that_names_no_sign_has_a_hint() -> None:
    said = '{"error": "No mask_token (do as you please now) found on the input"}'

    error = HuggingFace().failure(400, {}, said)

    assert error.details == {}
    assert "sign for a gap" in (error.hint or "")

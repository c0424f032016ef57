"""Requests in Gemini's own shape, and its errors, as the reference of its API has them."""

import json
from typing import Any

import pytest

from llmctl.dialects import Frame, Framing
from llmctl.dialects.gemini import Gemini
from llmctl.dialects.gemini_answers import REASONS
from llmctl.errors import LlmctlError, ProviderFailed, RateLimited, UsageError
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Count,
    Event,
    Fill,
    Finished,
    FinishReason,
    Json,
    Media,
    Message,
    Quirks,
    Role,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    message,
)
from tests.unit.dialects.documented import (
    ANSWER,
    CALLS,
    PICTURE,
    QUESTION,
    RESULTS,
    SCHEMA,
    SYSTEM,
    WEATHER,
)

RPC = "type.googleapis.com/google.rpc."


def body(call: Call, **quirks: Any) -> dict[str, Json]:
    encoded = Gemini().encode(call, Quirks(**quirks)).body
    assert encoded is not None
    return dict(encoded)


def config(call: Call, **quirks: Any) -> Json:
    return body(call, **quirks).get("generationConfig")


# --------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("stream", "path", "framing"),
    [
        (True, "v1beta/models/m:streamGenerateContent?alt=sse", Framing.SSE),
        (False, "v1beta/models/m:generateContent", Framing.WHOLE),
    ],
)
def test_the_least_that_is_sent(stream: bool, path: str, framing: Framing) -> None:
    http = Gemini().encode(Chat("m", (QUESTION,), stream=stream), Quirks())

    assert (http.method, http.path, http.framing) == ("POST", path, framing)
    assert http.body == {"contents": [{"role": "user", "parts": [{"text": "Why?"}]}]}
    assert http.headers == {}


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("gemini-3.8-flash", "models/gemini-3.8-flash"),
        ("models/gemini-3.8-flash", "models/gemini-3.8-flash"),
        ("tunedModels/mine-7", "tunedModels/mine-7"),
        ("a?b#c d", "models/a%3Fb%23c%20d"),
    ],
)
def test_a_models_place_in_the_path(model: str, place: str) -> None:
    http = Gemini().encode(Chat(model, (QUESTION,), stream=False), Quirks())

    assert http.path == f"v1beta/{place}:generateContent"


def test_everything_that_a_chat_can_say() -> None:
    call = Chat(
        "m",
        (SYSTEM, QUESTION, ANSWER, PICTURE, CALLS, RESULTS),
        max_tokens=5,
        temperature=0.5,
        seed=7,
        stop=("END",),
        schema=SCHEMA,
        tools=(Tool("weather", "Tells the weather", WEATHER),),
        options={"topK": 4, "serviceTier": "flex"},
    )

    assert body(call) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Why?"}]},
            {"role": "model", "parts": [{"text": "Because."}]},
            {
                "role": "user",
                "parts": [
                    {"text": "What is it?"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {
                            "id": "call_1",
                            "name": "weather",
                            "args": {"city": "Омск"},
                        }
                    }
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "call_1",
                            "name": "weather",
                            "response": {"output": "-20"},
                        }
                    }
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Tells the weather",
                        "parametersJsonSchema": WEATHER,
                    }
                ]
            }
        ],
        "serviceTier": "flex",
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
            "maxOutputTokens": 5,
            "temperature": 0.5,
            "seed": 7,
            "stopSequences": ["END"],
            "topK": 4,
        },
    }


def test_zero_is_said_and_not_taken_for_nothing() -> None:
    said = config(Chat("m", (QUESTION,), max_tokens=0, temperature=0.0, seed=0))

    assert said == {"maxOutputTokens": 0, "temperature": 0.0, "seed": 0}


def test_neighbours_of_one_role_are_one_turn_and_instructions_have_one_place() -> None:
    results = (
        Message(Role.TOOL, (ToolResult("a", "f", "1"),)),
        Message(Role.TOOL, (ToolResult("b", "g", "2"),)),
    )
    said = body(
        Chat("m", (SYSTEM, QUESTION, message(Role.USER, "And?"), SYSTEM, CALLS, *results, QUESTION))
    )

    assert said["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be brief."}]}
    assert [(turn["role"], len(turn["parts"])) for turn in said["contents"]] == [
        ("user", 2),
        ("model", 1),
        ("user", 2),
        ("user", 1),
    ]


def test_media_by_address_and_of_any_kind() -> None:
    parts = (
        Text("What?"),
        Media("video/mp4", url="https://a.test/v1beta/files/abc"),
        Media("application/pdf", b"%PDF"),
    )
    [turn] = body(Chat("m", (Message(Role.USER, parts),)))["contents"]

    assert turn["parts"][1:] == [
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.test/v1beta/files/abc"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"top_k": 4, "frequencyPenalty": 1}, {"topK": 4, "frequencyPenalty": 1}),
        ({"max_output_tokens": 7}, {"maxOutputTokens": 7}),
        ({"thinkingLevel": "LOW"}, {"thinkingConfig": {"thinkingLevel": "LOW"}}),
        (
            {"thinking_config": {"thinkingBudget": 0}, "include_thoughts": True},
            {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True}},
        ),
        ({"generationConfig": {"top_p": 0.5, "topK": 1}}, {"topP": 0.5, "topK": 1}),
    ],
)
def test_options_go_into_the_configuration(options: dict[str, Json], expected: Json) -> None:
    assert config(Chat("m", (QUESTION,), options=options)) == expected


def test_options_beside_the_configuration() -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
    said = body(Chat("m", (QUESTION,), options={"safety_settings": safety, "cachedContent": "c/1"}))

    assert (said["safetySettings"], said["cachedContent"]) == (safety, "c/1")
    assert "generationConfig" not in said


def test_what_the_user_says_beats_the_card_and_the_card_the_rest() -> None:
    card = {"extra_body": {"temperature": 2, "thinkingLevel": "LOW", "topK": 4}}
    call = Chat(
        "m", (QUESTION,), temperature=0.5, options={"temperature": 1, "thinkingLevel": "HIGH"}
    )

    said = {"temperature": 1, "topK": 4, "thinkingConfig": {"thinkingLevel": "HIGH"}}
    assert config(call, **card) == said
    assert config(Chat("m", (QUESTION,), temperature=0.5), **card)["temperature"] == 0.5


def test_knobs_that_the_card_rules_out() -> None:
    call = Chat("m", (QUESTION,), temperature=0.5, seed=7, stop=("a",), max_tokens=5, schema=SCHEMA)

    assert config(call, sampling=False, seed=False, stop=False, schema="none") == {
        "maxOutputTokens": 5
    }
    assert config(Chat("m", (QUESTION,), schema=SCHEMA), schema="json_object") == {
        "responseMimeType": "application/json"
    }
    with pytest.raises(UsageError, match="cannot call functions"):
        body(Chat("m", (QUESTION,), tools=(Tool("f", "", WEATHER),)), tools=False)


@pytest.mark.parametrize("call", [Complete("m", "a"), Fill("m", "a")])
def test_what_the_format_does_not_have_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=f"no {type(call).__name__.lower()}"):
        Gemini().encode(call, Quirks())


def test_arguments_that_a_model_botched_are_told_and_not_a_crash() -> None:
    one = Message(Role.ASSISTANT, (ToolCall("c", "weather", '{"city": "Омс'),))
    with pytest.raises(UsageError, match="call of weather"):
        body(Chat("m", (one,)))


def test_tokens_are_counted_by_the_service() -> None:
    call = Count("m", (SYSTEM, QUESTION))
    http = Gemini().encode(call, Quirks())
    decoder = Gemini().decoder(call, Quirks())

    assert (http.path, http.framing) == ("v1beta/models/m:countTokens", Framing.WHOLE)
    assert http.body == {
        "generateContentRequest": {
            "model": "models/m",
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Why?"}]}],
        }
    }
    assert list(decoder.feed(Frame('{"totalTokens": 31, "cachedContentTokenCount": 8}'))) == [
        Finished(FinishReason.STOP, usage=Usage(input_tokens=31, cached_tokens=8))
    ]
    assert decoder.done
    assert list(Gemini().decoder(call, Quirks()).feed(Frame("{}"))) == []


def test_the_models_of_the_service() -> None:
    http = Gemini().listing()
    listed = {"models": [{"name": "models/a"}, {"name": "tunedModels/b"}, {"version": "1"}]}

    assert (http.method, http.path) == ("GET", "v1beta/models?pageSize=1000")
    assert Gemini().listed(listed) == ["a", "tunedModels/b"]


# ---------------------------------------------------------------------------------------- answers


def decoded(*answers: Json) -> list[Event]:
    decoder = Gemini().decoder(Chat("m", (QUESTION,)), Quirks())
    events = [event for one in answers for event in decoder.feed(Frame(json.dumps(one)))]
    return [*events, *decoder.end()]


def finish(reason: str) -> Json:
    return {"candidates": [{"finishReason": reason}]}


# Of all reasons that google-genai 3.4.0 names.
STOPS = ("STOP",)
LENGTHS = ("MAX_TOKENS", "CONTINUATION")
FILTERS = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION", "PUP_LIMITED_DISABLED",
    "MODEL_ARMOR",
)  # fmt: skip
ERRORS = (
    "OTHER", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "IMAGE_OTHER", "NO_IMAGE",
    "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
)  # fmt: skip


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        *((one, FinishReason.STOP) for one in STOPS),
        *((one, FinishReason.LENGTH) for one in LENGTHS),
        *((one, FinishReason.FILTER) for one in FILTERS),
        *((one, FinishReason.ERROR) for one in ERRORS),
        ("SOMETHING_NEW", FinishReason.ERROR),
    ],
)
def test_every_finish_reason(native: str, reason: FinishReason) -> None:
    [finished] = decoded(finish(native))

    assert isinstance(finished, Finished)
    assert (finished.reason, finished.native_reason) == (reason, native)


def test_no_reason_is_missing() -> None:
    types = pytest.importorskip("google.genai.types")

    named = {one.value for one in types.FinishReason} - {"FINISH_REASON_UNSPECIFIED"}
    assert set(REASONS) == named


def picture(data: str) -> Json:
    blob = {"inlineData": {"mimeType": "image/png", "data": data}}
    return {"candidates": [{"content": {"parts": [blob]}, "finishReason": "STOP"}]}


@pytest.mark.parametrize(
    ("data", "read"),
    [("iVBORw==", b"\x89PNG"), ("iVBORw", b"\x89PNG"), ("-_-_", b"\xfb\xff\xbf"),
     ("+/+/", b"\xfb\xff\xbf")],
)  # fmt: skip
def test_a_picture_in_an_answer(data: str, read: bytes) -> None:
    media, _finished = decoded(picture(data))

    assert media == Media("image/png", read)


@pytest.mark.parametrize("data", ["iVBO!", "iVBOR", "ж"])
def test_a_damaged_picture(data: str) -> None:
    with pytest.raises(ProviderFailed, match="damaged"):
        decoded(picture(data))


@pytest.mark.parametrize(
    "odd",
    [
        None, 7, "x", [], [None], {"candidates": None}, {"candidates": [None, 3]},
        {"candidates": [{"content": {"parts": [None, 1, {}]}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": None}, {"text": 5}]}}]},
        {"candidates": [{"content": "x", "finishReason": 3}], "usageMetadata": []},
        {"promptFeedback": {}}, {"promptFeedback": {"safetyRatings": []}},
    ],
)  # fmt: skip
def test_odd_frames_hold_nothing_and_are_no_crash(odd: Json) -> None:
    text, finished = decoded(
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, odd, finish("STOP")
    )

    assert text == TextDelta("a")
    assert isinstance(finished, Finished)
    assert finished.usage is None


# ----------------------------------------------------------------------------------------- errors


def status(code: int, message: str, name: str, *details: Json) -> Json:
    return {"error": {"code": code, "message": message, "status": name, "details": list(details)}}


def info(reason: str) -> Json:
    return {"@type": f"{RPC}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def retry(delay: Json) -> Json:
    return {"@type": f"{RPC}RetryInfo", "retryDelay": delay}


def violations(*quotas: str) -> Json:
    return {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": one} for one in quotas]}


DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
MINUTE = "GenerateContentInputTokensPerModelPerMinute-FreeTier"
CURRENT = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("answer", "code", "reason", "retryable", "wait"),
    [
        (status(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT",
                info("API_KEY_INVALID")), "auth", None, False, None),
        (status(403, "Permission denied", "PERMISSION_DENIED"), "auth", None, False, None),
        (status(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
         "auth", "region", False, None),
        (status(400, "Gemini API free tier is not available in your country. Please enable billing"
                " on your project.", "FAILED_PRECONDITION"), "auth", "region", False, None),
        (status(404, "models/x is not found for API version v1beta", "NOT_FOUND"),
         "not-found", None, False, None),
        (status(400, "The input token count (1200000) exceeds the maximum number of tokens allowed"
                " (1048576).", "INVALID_ARGUMENT"), "rejected", "context", False, None),
        (status(400, "Unable to process input image", "INVALID_ARGUMENT"),
         "rejected", None, False, None),
        (status(429, CURRENT, "RESOURCE_EXHAUSTED", violations(MINUTE), retry("21s")),
         "rate-limited", "rate", True, 21.0),
        (status(429, CURRENT, "RESOURCE_EXHAUSTED", retry("34.074824224s")),
         "rate-limited", "rate", True, 34.074824224),
        (status(429, CURRENT, "RESOURCE_EXHAUSTED", violations(MINUTE, DAY), retry("34s")),
         "rate-limited", "quota", False, None),
        (status(429, "Slow down", "RESOURCE_EXHAUSTED", retry("soon"), retry(5)),
         "rate-limited", "rate", True, None),
        (status(500, "Internal error", "INTERNAL"), "provider-error", None, True, None),
        (status(503, "The model is overloaded.", "UNAVAILABLE"),
         "provider-error", "overloaded", True, None),
        (status(504, "Deadline expired", "DEADLINE_EXCEEDED"), "provider-error", None, True, None),
    ],
)  # fmt: skip
def test_errors(
    answer: Json, code: str, reason: str | None, retryable: bool, wait: float | None
) -> None:
    """The same alone, in an array of one, and inside a stream."""
    number = answer["error"]["code"]
    alone = Gemini().failure(number, {}, json.dumps(answer))
    listed = Gemini().failure(number, {}, json.dumps([answer], indent=2))
    with pytest.raises(LlmctlError) as inside:
        decoded(answer)

    for error in (alone, listed, inside.value):
        assert (error.code, error.reason, error.status) == (code, reason, number)
        assert (error.retryable, error.retry_after_s) == (retryable, wait)
        assert answer["error"]["message"] in error.message


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "[[]]", '{"error": null}', "<html>", "[" * 9999]
)
def test_odd_error_bodies_still_give_an_error(text: str) -> None:
    assert Gemini().failure(500, {}, text).code == "provider-error"


@pytest.mark.parametrize(
    "details", [None, 3, {}, [None], [{"violations": 3}], [{"violations": [None, {"quotaId": 3}]}]]
)
def test_odd_details_are_no_crash(details: Json) -> None:
    body = {"error": {"code": 429, "message": "m", "details": details}}

    assert isinstance(Gemini().failure(429, {}, json.dumps(body)), RateLimited)

"""Error answers as hosts really send them, and the error each stands for."""

import json
from typing import Any

import pytest

from llmctl.dialects.failures import failure
from llmctl.types import Json


def openai(message: str, *, kind: str | None = None, code: Any = None) -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "code", "reason", "retryable"),
    [
        (401, openai("Incorrect API key provided", code="invalid_api_key"), "auth", None, False),
        (403, openai("Country not supported", code="unsupported_country_region_territory"),
         "auth", "region", False),
        (404, openai("The model `x` does not exist", code="model_not_found"),
         "not-found", None, False),
        (404, {"error": "model 'x' not found"}, "not-found", None, False),
        (429, openai("You exceeded your current quota", kind="insufficient_quota",
                     code="insufficient_quota"), "rate-limited", "quota", False),
        (429, openai("Rate limit reached", code="rate_limit_exceeded"),
         "rate-limited", "rate", True),
        (402, {"error": {"message": "Insufficient Balance"}}, "rate-limited", "quota", False),
        (400, openai("too long", code="context_length_exceeded"), "rejected", "context", False),
        (400, {"error": {"code": 400, "message": "request exceeds the available context size",
                         "type": "exceed_context_size_error", "n_prompt_tokens": 5031}},
         "rejected", "context", False),
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens"}},
         "rejected", "context", False),
        (400, openai("flagged", code="content_policy_violation"), "filtered", None, False),
        (400, openai("no such parameter", kind="invalid_request_error"),
         "rejected", None, False),
        (413, {"error": "too big"}, "rejected", None, False),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "rejected", None, False),
        (408, {}, "provider-error", None, True),
        (409, {}, "provider-error", None, True),
        (500, openai("oops", kind="server_error"), "provider-error", None, True),
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
         "provider-error", "loading", True),
        (503, {"error": "Model org/m is currently loading", "estimated_time": 20.0},
         "provider-error", "loading", True),
        (500, {"error": {"code": 500, "message": "input (563 tokens) is too large to process."
                         " increase the physical batch size (current batch size: 512)",
                         "type": "server_error"}}, "rejected", "context", False),
        (400, {"error": {"code": 400, "message": "User location is not supported for the API use.",
                         "status": "FAILED_PRECONDITION"}}, "auth", "region", False),
        (400, {"error": "the input length exceeds the context length"},
         "rejected", "context", False),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 9",
               "error_type": "validation"}, "rejected", "context", False),
        (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}},
         "provider-error", "overloaded", True),
        (501, {"error": {"message": "not supported", "type": "not_supported_error"}},
         "rejected", "unsupported", False),
        (451, {}, "auth", "region", False),
    ],
)  # fmt: skip
def test_body_and_status(
    status: int, body: Json, code: str, reason: str | None, retryable: bool
) -> None:
    error = failure(status, {}, json.dumps(body))

    assert (code, reason, retryable, status) == (
        error.code, error.reason, error.retryable, error.status
    )  # fmt: skip


def test_the_providers_words_are_kept() -> None:
    error = failure(400, {}, json.dumps(openai("Bad things")))

    assert "Bad things" in error.message


def test_an_html_page_shrinks_to_its_title() -> None:
    page = "<html><head><title>502 Bad\n Gateway</title></head>" + "<p>x</p>" * 1000

    error = failure(502, {}, page)

    assert "502 Bad Gateway" in error.message
    assert len(error.message) < 200


def test_an_endless_plain_body_is_cut() -> None:
    assert len(failure(500, {}, "x" * 1_000_000).message) < 400


@pytest.mark.parametrize("body", ["", "null", "[]", "[[]]", '{"error":null}', '"', "[" * 100_000])
def test_odd_bodies_still_give_an_error(body: str) -> None:
    assert failure(500, {}, body).code == "provider-error"


def test_the_server_may_forbid_or_demand_a_repeat() -> None:
    assert failure(500, {"x-should-retry": "false"}, "{}").retryable is False
    assert failure(400, {"x-should-retry": "true"}, "{}").retryable is True


def test_request_id_comes_from_the_headers() -> None:
    assert failure(500, {"x-request-id": "req_7"}, "{}").request_id == "req_7"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "x" * 1_000_000}},
        {"error": "x" * 1_000_000},
        {"detail": ["x" * 1000] * 1000},
    ],
)
def test_an_endless_explanation_is_cut(body: Json) -> None:
    """Some hosts quote the whole request."""
    assert 500 < len(failure(400, {}, json.dumps(body)).message) < 1200

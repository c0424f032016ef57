"""Anthropic's Messages API: a limit that must be said, instructions beside the messages, and two
versions that differ in what may be tuned."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from llmctl.dialects import Decoder, Dialect, Framing, HttpCall, Listed, failures
from llmctl.dialects.anthropic_answers import AnthropicDecoder, signs_in
from llmctl.dialects.anthropic_messages import (
    encode_messages,
    encode_tools,
    system_text,
)
from llmctl.dialects.anthropic_schema import can_hold, narrowed
from llmctl.dialects.in_words import in_words
from llmctl.dialects.look import at, count_at, text_at
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Call, Chat, Count, Json, Quirks

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches

# The newer version takes no sampling at all, not even its defaults.
VERSION, SAMPLING_VERSION = "2026-10-21", "2023-06-01"
SAMPLING = frozenset({"temperature", "top_p", "top_k"})

# What the input of a request is made of; only this is taken where its tokens are counted.
COUNTED = frozenset(
    {
        *("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"),
        *("cache_control", "context_management", "mcp_servers"),
    }
)

# Said where neither the user nor the card knows a limit. An answer in one piece is waited for in
# silence: more than the second figure would take over ten minutes at the speed the provider names.
LIMIT, WHOLE_LIMIT = 32_000, 21_333


class Anthropic(Dialect):
    """`v1/messages`, and `v1/messages/count_tokens`."""

    lacks = frozenset({"seed"})

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if isinstance(call, Count):
            from llmctl.dialects.counts import as_chat

            asked = self.encode(as_chat(call), quirks)
            body = {name: one for name, one in (asked.body or {}).items() if name in COUNTED}
            return HttpCall("POST", "v1/messages/count_tokens", body, asked.headers)
        if not isinstance(call, Chat):
            raise UsageError(
                _("this provider's format has no {kind}", kind=type(call).__name__.lower())
            )
        body = {
            "model": call.model,
            "messages": encode_messages(call.messages),
            "max_tokens": _limit(call, quirks),
        }
        if call.tools:
            if not quirks.tools:
                raise UsageError(_("{model} cannot call functions", model=call.model))
            body["tools"] = encode_tools(call.tools)
        config: dict[str, Json] = {}
        system = system_text(call.messages)
        if call.schema is not None:
            if quirks.schema == "json_schema" and can_hold(call.schema):
                config["format"] = {"type": "json_schema", "schema": narrowed(call.schema)}
            else:
                system = "\n\n".join(filter(None, (system, in_words(call.schema))))
        if system:
            body["system"] = system
        # What the user says beats the card, and a field by its own name beats a flag.
        body |= {**quirks.extra_body, **_knobs(call, quirks), **_options(call.options, config)}
        framing = Framing.SSE if body.get("stream") else Framing.WHOLE
        headers = _headers(quirks, sampled=not SAMPLING.isdisjoint(body))
        return HttpCall("POST", "v1/messages", body, headers, framing)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            from llmctl.dialects.counts import CountDecoder

            return CountDecoder(lambda answer: count_at(answer, "input_tokens"))
        return AnthropicDecoder()

    def batches(self) -> "AnyBatches | None":
        from llmctl.dialects.anthropic_batches import AnthropicBatches

        return AnthropicBatches(self, VERSION)

    def listing(self) -> HttpCall:
        # The default of a page is 20, and this the most that may be asked for.
        return _of_models("?limit=1000")

    def listed(self, answer: Json) -> list[str]:
        return [one.name for one in self.published(answer)]

    def published(self, answer: Json) -> list[Listed]:
        from llmctl.dialects.model_lists import anthropic

        return [one for one in anthropic(at(answer, "data")) if one.lifecycle != "retired"]

    def more(self, answer: Json) -> HttpCall | None:
        if at(answer, "has_more") is not True or not (last := text_at(answer, "last_id")):
            return None
        return _of_models(f"?limit=1000&after_id={quote(last, safe='')}")

    def description(self, model: str) -> HttpCall:
        return _of_models(f"/{quote(model, safe='')}")

    def described(self, answer: Json) -> Listed | None:
        from llmctl.dialects.model_lists import anthropic

        return next(anthropic([answer]), None)

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        answer = failures.parsed(body)
        error = failures.classify(
            status,
            headers,
            said=failures.message_in(answer) or failures.plain(body),
            signs=signs_in(answer),
        )
        error.request_id = error.request_id or text_at(answer, "request_id")
        return error


def _of_models(rest: str) -> HttpCall:
    return HttpCall("GET", f"v1/models{rest}", headers={"anthropic-version": VERSION})


def _limit(call: Chat, quirks: Quirks) -> int:
    """The longest answer, for who has set no limit."""
    limit = quirks.output_limit or LIMIT
    return limit if call.stream else min(limit, WHOLE_LIMIT)


def _knobs(call: Chat, quirks: Quirks) -> dict[str, Json]:
    knobs: dict[str, Json] = {}
    if call.max_tokens is not None:
        knobs["max_tokens"] = call.max_tokens
    if call.temperature is not None and quirks.sampling:
        knobs["temperature"] = call.temperature
    if call.stop and quirks.stop:
        knobs["stop_sequences"] = list(call.stop)
    if call.stream:
        knobs["stream"] = True
    return knobs


def _options(options: Mapping[str, Json], config: dict[str, Json]) -> dict[str, Json]:
    """The user's fields, `effort` and `thinking` in a word among them, beside the schema of ours in
    `output_config`."""
    fields = dict(options)
    if (effort := fields.pop("effort", None)) is not None:
        config["effort"] = effort
    own = fields.get("output_config")
    if own is None or isinstance(own, dict):
        config |= own or {}
        if config:
            fields["output_config"] = config
    if isinstance(thinking := fields.get("thinking"), str):
        fields["thinking"] = {"type": thinking}
    return fields


def _headers(quirks: Quirks, *, sampled: bool) -> Mapping[str, str]:
    """The version of the API: the newest, except for what only the older one takes."""
    version = quirks.settings.get("api_version")
    if sampled and quirks.sampling:
        if version not in (None, SAMPLING_VERSION):
            raise UsageError(
                _("version {version} of this API takes no temperature, top_p or top_k",
                  version=version),
                hint=_("leave it out, or set api_version to {version}", version=SAMPLING_VERSION),
            )  # fmt: skip
        version = SAMPLING_VERSION
    return {"anthropic-version": version or VERSION}


DIALECT = Anthropic

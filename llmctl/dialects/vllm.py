"""vLLM: OpenAI's chat completions, and a way of its own to cut a chat into tokens."""

from llmctl.dialects import Decoder, HttpCall
from llmctl.dialects.counts import CountDecoder, as_chat
from llmctl.dialects.look import count_at
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.types import Call, Count, Quirks

# What of a chat makes its tokens.
READ = ("model", "messages", "tools", "chat_template_kwargs")


class VLLM(OpenAIChat):
    """`tokenize` stands beside the version of the API, not below it."""

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        if not isinstance(call, Count):
            return super().encode(call, quirks)
        body = super().encode(as_chat(call), quirks).body or {}
        return HttpCall("POST", "../tokenize", {name: body[name] for name in READ if name in body})

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        if isinstance(call, Count):
            return CountDecoder(lambda answer: count_at(answer, "count"))
        return super().decoder(call, quirks)


DIALECT = VLLM

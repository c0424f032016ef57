"""The sides of providers that take batches: what is beside their answers to single requests."""

from collections.abc import Mapping

from tests.simulator import batches
from tests.simulator.answers import Asked
from tests.simulator.anthropic import AnthropicSide
from tests.simulator.exchange import Dialect, Route
from tests.simulator.gemini import GeminiSide
from tests.simulator.gigachat import GigaChatSide
from tests.simulator.openai_chat import OpenAISide
from tests.simulator.wire import Request


class OpenAIBatchSide(OpenAISide):
    name = "openai-batches"

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {}

    def route(self, request: Request) -> Route | None:
        return batches.of_openai(request)

    def asked(self, request: Request) -> Asked | None:
        return None


class GeminiBatchSide(GeminiSide):
    name = "gemini-batches"

    def route(self, request: Request) -> Route | None:
        return batches.of_gemini(request)

    def asked(self, request: Request) -> Asked | None:
        return None


class AnthropicBatchSide(AnthropicSide):
    name = "anthropic-batches"

    def route(self, request: Request) -> Route | None:
        return batches.of_anthropic(request)

    def asked(self, request: Request) -> Asked | None:
        return None


class GigaChatBatchSide(GigaChatSide):
    name = "gigachat-batches"

    def route(self, request: Request) -> Route | None:
        return batches.of_gigachat(request)

    def asked(self, request: Request) -> Asked | None:
        return None


SIDES: tuple[Dialect, ...] = (
    OpenAIBatchSide(),
    GeminiBatchSide(),
    AnthropicBatchSide(),
    GigaChatBatchSide(),
)

"""Lists of models in shapes of their own; the documents are as the providers' references have
them."""

import json

import pytest

from llmctl.dialects import Frame, Listed, PullStep
from llmctl.dialects.anthropic import Anthropic
from llmctl.dialects.gemini import Gemini
from llmctl.dialects.gigachat import GigaChat
from llmctl.dialects.ollama import Ollama
from llmctl.dialects.openai_chat import OpenAIChat
from llmctl.dialects.openai_responses import OpenAIResponses
from llmctl.dialects.price_lists import counted, day
from llmctl.errors import NotFound, ProviderFailed
from llmctl.types import Json


def test_gemini_says_how_long_texts_may_be_and_what_can_be_asked() -> None:
    answer = {
        "models": [
            {
                "name": "models/gemini-9-flash",
                "displayName": "Gemini 9 Flash",
                "inputTokenLimit": 1048576,
                "outputTokenLimit": 65536,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
                "thinking": True,
            },
            {"name": "models/old", "supportedGenerationMethods": "embedContent"},
            {"name": ""},
            7,
        ],
        "nextPageToken": "a b/c",
    }

    assert Gemini().published(answer) == [
        Listed(
            name="gemini-9-flash",
            context=1048576,
            output_limit=65536,
            title="Gemini 9 Flash",
            capabilities=("generateContent", "countTokens", "thinking"),
        ),
        Listed(name="old"),
    ]
    following = Gemini().more(answer)
    assert following is not None
    assert following.path == "v1beta/models?pageSize=1000&pageToken=a%20b%2Fc"
    assert Gemini().more({"models": []}) is None


def test_anthropic_says_what_a_model_can_and_when_it_ends() -> None:
    answer = {
        "data": [
            {
                "id": "claude-9",
                "display_name": "Claude 9",
                "lifecycle": "deprecated",
                "retires_at": "2027-01-31T00:00:00Z",
                "max_input_tokens": 200000,
                "max_tokens": 64000,
                "capabilities": {
                    "batch": {"supported": True},
                    "image_input": {"supported": False},
                    "effort": {"supported": True, "low": {"supported": True}},
                },
            },
            {"id": "claude-1", "lifecycle": "retired"},
        ],
        "has_more": True,
        "last_id": "claude-1",
    }

    assert Anthropic().published(answer) == [
        Listed(
            name="claude-9",
            context=200000,
            output_limit=64000,
            title="Claude 9",
            retires="2027-01-31",
            lifecycle="deprecated",
            capabilities=("batch", "effort"),
        )
    ]
    following = Anthropic().more(answer)
    assert following is not None
    assert following.path == "v1/models?limit=1000&after_id=claude-1"
    assert "anthropic-version" in following.headers
    assert Anthropic().more({"data": [], "has_more": False, "last_id": "x"}) is None


@pytest.mark.parametrize("dialect", [OpenAIChat(), OpenAIResponses()])
def test_openai_says_when_a_model_ends(dialect: OpenAIChat | OpenAIResponses) -> None:
    entry = {"id": "gpt-5", "object": "model", "created": 1, "owned_by": "openai",
             "shutdown_date": "2026-12-11"}  # fmt: skip

    assert dialect.published({"data": [entry]}) == [Listed(name="gpt-5", retires="2026-12-11")]
    assert dialect.described(entry) == Listed(name="gpt-5", retires="2026-12-11")
    assert dialect.description("ft:a/b").path == "models/ft%3Aa%2Fb"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        # Together: prices for a million tokens.
        (
            {"id": "m", "type": "chat", "display_name": "M (13B)", "license": "other",
             "context_length": 2048,
             "pricing": {"hourly": 0, "input": 0.3, "output": 0.3, "base": 0, "finetune": 0}},
            Listed(name="m", title="M (13B)", context=2048, input="0.3", output="0.3",
                   currency="USD", licence="other", capabilities=("chat",)),
        ),
        # Mistral: a table of capabilities, a day of deprecation; "base" is how it was made.
        (
            {"id": "m", "type": "base", "name": "m", "max_context_length": 131072,
             "deprecation": "2026-12-31T12:00:00Z",
             "capabilities": {"completion_chat": True, "vision": False, "function_calling": True}},
            Listed(name="m", context=131072, retires="2026-12-31",
                   capabilities=("completion_chat", "function_calling")),
        ),
        # Groq
        (
            {"id": "m", "active": False, "context_window": 8192, "max_completion_tokens": 4096},
            Listed(name="m", context=8192, output_limit=4096, lifecycle="inactive"),
        ),
        # llama-server, before the model is loaded and afterwards
        ({"id": "m", "meta": None}, Listed(name="m")),
        (
            {"id": "m", "meta": {"n_ctx_train": 32768, "n_params": 1777088000, "size": 1280835840}},
            Listed(name="m", context=32768, parameters="1.78B", size=1280835840),
        ),
        # vLLM
        ({"id": "m", "max_model_len": 40960, "root": "m"}, Listed(name="m", context=40960)),
    ],
)  # fmt: skip
def test_hosts_that_speak_like_openai(entry: dict[str, Json], said: Listed) -> None:
    assert OpenAIChat().published({"data": [entry]}) == [said]
    assert OpenAIChat().published([entry]) == [said]  # the bare list of Together


def test_gigachat_says_what_a_model_is_for() -> None:
    entry = {"id": "Embeddings", "object": "model", "owned_by": "salutedevices", "type": "embedder"}

    said = Listed(name="Embeddings", capabilities=("embedder",))
    assert GigaChat().published({"data": [entry]}) == [said]


def test_ollama_says_what_the_file_is_and_where_a_model_runs() -> None:
    here = {
        "name": "gemma4:latest",
        "size": 9608350245,
        "details": {"format": "gguf", "family": "gemma4", "parameter_size": "8.0B",
                    "quantization_level": "Q4_K_M", "context_length": 131072},
        "capabilities": ["completion", "vision"],
    }  # fmt: skip
    away = {"name": "gpt-oss:120b-cloud", "size": 384, "details": {"family": ""},
            "remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}  # fmt: skip

    assert Ollama().published({"models": [here, away]}) == [
        Listed(
            name="gemma4:latest",
            context=131072,
            size=9608350245,
            parameters="8.0B",
            quantisation="Q4_K_M",
            family="gemma4",
            capabilities=("completion", "vision"),
        ),
        Listed(name="gpt-oss:120b-cloud", size=384, elsewhere="https://ollama.com:443"),
    ]


def test_ollama_shows_one_model() -> None:
    answer = {
        "license": "\nApache License\nVersion 2.0, January 2004\n",
        "details": {"family": "qwen3", "parameter_size": "8.2B", "quantization_level": "Q4_K_M"},
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
        "capabilities": ["completion", "thinking"],
    }

    assert Ollama().described(answer) == Listed(
        name="",
        context=40960,
        parameters="8.2B",
        quantisation="Q4_K_M",
        family="qwen3",
        licence="Apache License",
        capabilities=("completion", "thinking"),
    )
    assert Ollama().described([]) is None


def line(**fields: Json) -> Frame:
    return Frame(json.dumps(fields))


def test_the_steps_of_a_pull() -> None:
    digest = f"sha256:{'a' * 64}"

    assert Ollama().pulled(line(status="pulling manifest")) == PullStep("pulling manifest")
    assert Ollama().pulled(
        line(status="pulling aaaa", digest=digest, total=10, completed=4)
    ) == PullStep("pulling aaaa", digest, 10, 4)
    assert Ollama().pulled(line(status="success")) == PullStep("success", over=True)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("pull model manifest: file does not exist", NotFound),
        ("max retries exceeded: EOF", ProviderFailed),
        ("write /models/x: no space left on device", ProviderFailed),
    ],
)
def test_an_error_inside_a_pull(said: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=said):
        Ollama().pulled(line(error=said))


@pytest.mark.parametrize(
    ("count", "text"),
    [(1777088000, "1.78B"), (135_000_000, "135M"), (8_000_000_000, "8B"), (671 * 10**9, "671B"),
     (22_700_000, "22.7M"), (999, "999")],
)  # fmt: skip
def test_parameters_in_the_words_of_the_trade(count: int, text: str) -> None:
    assert counted(count) == text


@pytest.mark.parametrize(
    ("moment", "found"),
    [("2026-12-11", "2026-12-11"), ("2026-12-11T00:00:00Z", "2026-12-11"), ("soon", None),
     ("", None), (None, None)],
)  # fmt: skip
def test_days(moment: str | None, found: str | None) -> None:
    assert day(moment) == found

"""What a name means to `models pull` and `models rm`."""

import pytest

from llmctl.cli.models_pulled import meant, pull_any
from llmctl.errors import LlmctlError, PrivacyRefused, UsageError
from llmctl.settings import Loaded, Policy, Settings
from llmctl.types import Level

LOADED = Loaded(Settings(aliases={"small": "local/org/small-GGUF:Q2_K"}), {})


@pytest.mark.parametrize(
    ("name", "card", "repo", "quant"),
    [
        ("local/org/name-GGUF", "local", "org/name-GGUF", None),
        ("local/org/name-GGUF:Q8_0", "local", "org/name-GGUF", "Q8_0"),
        ("hf.co/org/name-GGUF:UD-Q4_K_XL", "local", "org/name-GGUF", "UD-Q4_K_XL"),
        ("https://huggingface.co/org/name-GGUF/", "local", "org/name-GGUF", None),
        ("https://huggingface.co/org/name-GGUF/tree/main", "local", "org/name-GGUF", None),
        ("hf.co/org/name-GGUF/blob/main/a-Q8_0.gguf", "local", "org/name-GGUF", "a-Q8_0"),
        ("huggingface/org/name-GGUF", "huggingface", "org/name-GGUF", None),
        ("small", "local", "org/small-GGUF", "Q2_K"),
        # What the catalogue has, a path, and what a server fetches.
        ("local/smollm2-135m", "local", None, None),
        ("local/./model.gguf", "local", None, None),
        ("ollama/qwen3:8b", "ollama", None, None),
        ("ollama/hf.co/org/name-GGUF:Q8_0", "ollama", None, None),
        ("openai/gpt-6-luna", "openai", None, None),
    ],
)
def test_where_a_model_would_come_from(
    name: str, card: str, repo: str | None, quant: str | None
) -> None:
    found = meant(name, LOADED)

    assert (found.card.id, found.repo, found.quant) == (card, repo, quant)


@pytest.mark.parametrize(
    ("name", "quant", "kind"),
    [
        ("openai/gpt-6-luna", None, UsageError),
        ("llamacpp/whatever", None, UsageError),
        ("local/org/name-GGUF", " ", UsageError),
        ("local/smollm2-135m", "Q8_0", UsageError),
        ("ollama/qwen3:8b", "Q8_0", UsageError),
        ("local/org/name-GGUF:Q4_K_M", "Q8_0", UsageError),
    ],
)
def test_what_cannot_be_pulled_so(name: str, quant: str | None, kind: type[LlmctlError]) -> None:
    with pytest.raises(kind):
        pull_any(name, LOADED, quant=quant, source=None, quiet=True)


def test_a_name_alone_may_be_one_of_the_hub() -> None:
    with pytest.raises(UsageError, match="no provider or model") as caught:
        meant("org/name-GGUF", LOADED)
    assert "local/org/name-GGUF" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["local/org/name-GGUF", "ollama/qwen3:8b"])
@pytest.mark.parametrize(
    "policy", [Policy(max_level=Level.DEVICE), Policy(deny=("huggingface", "ollama"))]
)
def test_policy_holds_for_pulls(name: str, policy: Policy) -> None:
    loaded = Loaded(Settings(policy=policy), {})

    with pytest.raises(PrivacyRefused):
        pull_any(name, loaded, quant=None, source=None, quiet=True)

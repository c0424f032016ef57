"""What shows that a provider is spoken to rightly, though nobody here has a key.

Each claim names the test that makes it, and words that must stand there: a claim whose test is gone
goes with it, and test_documents.py says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.lanes import LaneId

TESTS = Path(__file__).parent.parent
RECORDINGS = TESTS / "live" / "recordings"


@dataclass(frozen=True, slots=True)
class Claim:
    """`says` for people; `file` in tests/, with `words` in it."""

    says: str
    file: str
    words: str

    @property
    def holds(self) -> bool:
        path = TESTS / self.file
        return path.is_file() and self.words in path.read_text(encoding="utf-8")


def traffic(file: str, words: str = "traffic") -> Claim:
    return Claim("recorded answers of the live service", f"conformance/{file}", words)


def schema(file: str, words: str) -> Claim:
    return Claim("its official schema", file, words)


def derived(file: str, words: str) -> Claim:
    return Claim("a schema derived from the types of its SDK", file, words)


def sdk(file: str, words: str) -> Claim:
    return Claim(f"its official SDK (`{words}`) against our simulator", f"oracle/{file}", words)


def requests(file: str, words: str) -> Claim:
    return Claim(f"requests compared with those of `{words}`", f"oracle/{file}", words)


def real(file: str, words: str) -> Claim:
    return Claim("a real server in the tests", file, words)


# (provider, dialect)
CLAIMS: dict[tuple[str, str], tuple[Claim, ...]] = {
    ("anthropic", "anthropic"): (
        derived("conformance/test_anthropic.py", "derived.anthropic"),
        sdk("test_anthropic_sdk.py", "anthropic"),
        requests("test_anthropic_requests.py", "anthropic"),
    ),
    ("gemini", "gemini"): (
        derived("conformance/test_gemini.py", "derived.google-genai"),
        sdk("test_gemini_sdk.py", "google-genai"),
        requests("test_gemini_requests.py", "google-genai"),
    ),
    ("gigachat", "gigachat"): (
        traffic("test_gigachat.py"),
        sdk("test_gigachat_sdk.py", "gigachat"),
        requests("test_gigachat_sdk.py", "gigachat"),
    ),
    ("gigachat", "gigachat_v2"): (traffic("test_gigachat.py"),),
    ("huggingface", "huggingface"): (
        schema("conformance/test_huggingface.py", "hf-task"),
        sdk("test_huggingface_sdk.py", "huggingface_hub"),
        requests("test_huggingface_sdk.py", "huggingface_hub"),
    ),
    ("llamacpp", "openai_chat"): (real("e2e/test_llama_server.py", "llama"),),
    ("ollama", "ollama"): (
        schema("simulator/test_shapes.py", "ollama.openapi.yaml"),
        sdk("test_ollama_sdk.py", "ollama"),
        requests("test_ollama_sdk.py", "ollama"),
    ),
    ("openai", "openai_chat"): (
        schema("unit/dialects/documented.py", "openapi"),
        derived("simulator/test_shapes.py", "derived.openai"),
        sdk("test_openai_sdk.py", "openai"),
        requests("test_openai_requests.py", "openai"),
    ),
    ("openai", "openai_responses"): (
        derived("conformance/test_openai_responses.py", "derived.openai"),
        sdk("test_openai_responses_sdk.py", "openai"),
    ),
    ("yandexgpt", "yandexgpt"): (traffic("test_yandexgpt.py", "yandex-native"),),
    ("yandexgpt", "openai_chat"): (
        traffic("test_yandexgpt.py", "yandex-openai"),
        sdk("test_yandexgpt_sdk.py", "openai"),
    ),
}
ONLY_PLAYED = "its quirks as documented, played by our simulator"


def shown(lane: LaneId) -> Iterator[str]:
    """What is shown for a provider in one dialect, in words."""
    holding = [one for one in CLAIMS.get((lane.provider, lane.dialect), ()) if one.holds]
    yield from (one.says for one in holding)
    if not holding:
        yield ONLY_PLAYED


def live(provider: str) -> str:
    """Who has tried it against the live service: by the recordings that users gave."""
    import json

    dates = sorted(
        json.loads(path.read_text(encoding="utf-8"))["made_at"][:10]
        for path in RECORDINGS.glob("*.json")
        if json.loads(path.read_text(encoding="utf-8"))["provider"] == provider
    )
    return f"recorded on {dates[-1]}" if dates else "by nobody yet"

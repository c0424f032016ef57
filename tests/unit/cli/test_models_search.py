"""Which models of a list are wanted, and how those of the Hub are shown."""

import pytest

from llmctl.cards import Card, Model
from llmctl.cli.models_search import Narrowed, gated_text, has_hub, served_text
from llmctl.cli.models_shown import said_lines
from llmctl.cli.models_shown import served_text as partner_text
from llmctl.dialects import Listed
from llmctl.engine.hub_search import Served
from llmctl.errors import UsageError
from llmctl.settings import Loaded, Settings
from llmctl.values import replace


@pytest.fixture
def card(shipped: Card) -> Card:
    models = (
        Model(id="qwen3-8b", name="Qwen3 8B", family="Qwen"),
        Model(id="llama", name="Llama of Qwen"),
        Model(id="gemma", name="Gemma"),
    )
    return replace(shipped, models=models)


@pytest.fixture
def shipped() -> Card:
    from llmctl import catalogue

    return catalogue.card("openai", Settings())


def names(cards: list[Card]) -> list[str]:
    return [one.id for card in cards for one in card.models]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("qwen", ["qwen3-8b", "llama"]),
        ("QWEN 8b", ["qwen3-8b"]),
        ("openai/gem", ["gemma"]),
        ("nosuch", []),
        (None, ["qwen3-8b", "llama", "gemma"]),
    ],
)
def test_every_word_is_to_be_in_a_name(card: Card, text: str | None, found: list[str]) -> None:
    assert names(Narrowed(text).cards([card])) == found


def test_the_limit_is_of_all_cards_together(card: Card) -> None:
    shown = Narrowed(limit=4).cards([card, card])

    assert names(shown) == ["qwen3-8b", "llama", "gemma", "qwen3-8b"]


def test_a_providers_own_list_is_narrowed_by_name_and_title() -> None:
    listed = [Listed(name="a-1", title="Alpha"), Listed(name="b-1"), Listed(name="a-2")]

    assert [one.name for one in Narrowed("alpha").listed(listed)] == ["a-1"]
    assert [one.name for one in Narrowed("a", limit=1).listed(listed)] == ["a-1"]


@pytest.mark.parametrize(
    "narrowed",
    [Narrowed("  "), Narrowed(sort="size"), Narrowed(task="Text Generation"),
     Narrowed(task="a&b=c"), Narrowed(task="")],
)  # fmt: skip
def test_what_is_no_search(narrowed: Narrowed) -> None:
    with pytest.raises(UsageError):
        narrowed.check()


@pytest.mark.parametrize(
    "narrowed",
    [Narrowed(task="fill-mask"), Narrowed(licence="mit"), Narrowed(sort="likes"),
     Narrowed(gguf=True)],
)  # fmt: skip
def test_what_only_a_hub_can_look_for(narrowed: Narrowed) -> None:
    narrowed.check()
    with pytest.raises(UsageError, match="for searching a hub"):
        narrowed.refuse_of_hub()


def test_whose_hub_is_searched() -> None:
    loaded = Loaded(Settings(), {})

    def searched(narrowed: Narrowed, provider: str | None) -> bool:
        return narrowed.hub(provider, loaded) is not None

    assert searched(Narrowed("qwen"), "huggingface")
    assert searched(Narrowed(task="fill-mask"), "huggingface")
    assert not searched(Narrowed(), "huggingface")
    assert not searched(Narrowed("qwen"), None)
    assert not searched(Narrowed("qwen"), "openai")


def test_only_one_provider_has_a_hub(shipped: Card) -> None:
    assert not has_hub(shipped)


def partner(name: str, output: str | None = None, ttft: float | None = None) -> Served:
    figures = Listed(name=f"o/m:{name}", input=output and "0.1", output=output,
                     currency="USD" if output else None, ttft_s=ttft)  # fmt: skip
    return Served(name, "conversational", figures)


def test_who_serves_a_model_the_cheapest_first() -> None:
    served = [partner("slow"), partner("dear", "2"), partner("cheap", "0.4", 0.61),
              Served("unpriced", None), partner("fair", "0.9")]  # fmt: skip

    assert served_text(served) == (
        "cheap 0.1/0.4 USD 0.61 s; fair 0.1/0.9 USD; dear 0.1/2 USD; 2 more"
    )
    assert served_text([]) == ""


def test_who_may_have_a_model() -> None:
    words = ["no", "accept terms", "ask its makers", None]
    assert [gated_text(one) for one in ("no", "auto", "manual", None)] == words


def test_what_a_server_says_is_shown_as_far_as_it_says_it() -> None:
    said = Listed(name="m", context=4096, size=98_362_432, quantisation="Q4_1",
                  capabilities=("completion", "tools"), elsewhere="https://ollama.com")  # fmt: skip

    assert said_lines(said) == [
        ("context", "4096"),
        ("quantisation", "Q4_1"),
        ("size", "98.4 MB"),
        ("can", "completion, tools"),
        ("passed on to", "https://ollama.com"),
    ]


def test_a_partner_with_all_its_figures() -> None:
    one = Listed(name="o/m:together", input="0.1", output="0.4", currency="USD", context=131072,
                 ttft_s=0.6, output_tokens_per_s=40.1)  # fmt: skip

    assert partner_text(one) == (
        "together, 0.1 / 0.4 USD per million tokens, first token after 0.6 s, 40.1 tokens/s,"
        " context 131072"
    )
    assert partner_text(Listed(name="o/m:groq")) == "groq"

"""What is weighed: openness, who else serves the weights, memory, tuning, kind and family."""

import pytest

from llmctl.cards import Card, Endpoint, Model, Weights
from llmctl.engine.tradeoffs import TradeOffs, counted, tradeoffs


def card(name: str, *models: Model, family: str | None = None) -> Card:
    return Card(
        card=1, id=name, name=name.title(), kind="api", dialect="openai_chat", family=family,
        endpoint=Endpoint(base_url=f"https://{name}.example"), models=models,
    )  # fmt: skip


def weighed(model: Model, *others: Card, family: str | None = None) -> TradeOffs:
    own = card("own", model, family=family)
    return tradeoffs(own, model, [own, *others])


@pytest.mark.parametrize(
    ("text", "all_of_them", "active"),
    [
        ("135M", 135_000_000, None),
        ("8.4B", 8_400_000_000, None),
        ("117B, 5.1B active", 117_000_000_000, 5_100_000_000),
        ("1600B, 49B active", 1_600_000_000_000, 49_000_000_000),
        ("large", None, None),
        ("8B or so", None, None),
        (None, None, None),
    ],
)
def test_parameters(text: str | None, all_of_them: int | None, active: int | None) -> None:
    assert counted(text) == (all_of_them, active)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model(id="m", open_weights=True), "open"),
        (Model(id="m", open_weights=False), "closed"),
        (Model(id="m", weights_of="org/m"), "open"),  # what has a name on the Hub is to be had
        (Model(id="m"), "unknown"),
    ],
)
def test_open_or_closed(model: Model, said: str) -> None:
    assert weighed(model).weights == said


def test_who_else_serves_the_same_weights() -> None:
    """By their name, whatever the model is called there; a card counts once, and not itself."""
    gpt, other = "openai/gpt-oss-120b", "openai/gpt-oss-20b"
    others = (
        card("b", Model(id="gpt-oss", weights_of=gpt), Model(id="gpt-oss-fast", weights_of=gpt)),
        card("c", Model(id="openai/gpt-oss-120b"), Model(id="small", weights_of=other)),
        card("a", Model(id="x", weights_of=other), Model(id="y", weights_of=gpt)),
    )

    assert weighed(Model(id="m", weights_of=gpt), *others).served_by == ("b", "a")
    assert weighed(Model(id="m", weights_of="org/nobody"), *others).served_by == ()
    assert weighed(Model(id="openai/gpt-oss-120b"), *others).served_by is None
    assert tradeoffs(others[0], others[0].models[0], None).served_by is None


# A parameter takes 5 bits in a file of four, and a fifth more: 8e9 x 5 / 8 x 1.2 = 6e9 bytes.
@pytest.mark.parametrize(
    ("model", "memory", "said"),
    [
        (Model(id="m", open_weights=True, parameters="8B"), 6_000_000_000, "derived"),
        # all parameters have to be there, not only those that work on a token
        (Model(id="m", weights_of="o/m", parameters="30B, 3B active"), 22_500_000_000, "derived"),
        (Model(id="m", open_weights=True, parameters="8B", memory=7), 7, "stated"),
        (Model(id="m", open_weights=True, parameters="8B", weights=Weights(memory=9)), 9, "stated"),
        (Model(id="m", open_weights=True, parameters="8B", weights=Weights(size=1)),
         6_000_000_000, "derived"),
        (Model(id="m", open_weights=False, parameters="8B"), None, None),
        (Model(id="m", open_weights=True), None, None),
    ],
)  # fmt: skip
def test_memory_to_run_it(model: Model, memory: int | None, said: str | None) -> None:
    found = weighed(model)

    assert (found.memory, found.memory_from) == (memory, said)


@pytest.mark.parametrize(
    ("model", "said", "by"),
    [
        (Model(id="m", open_weights=False, tunable="yes"), "yes", "provider"),
        (Model(id="m", open_weights=True, tunable="yes"), "yes", "provider"),
        (Model(id="m", open_weights=True), "yes", "owner"),
        (Model(id="m", open_weights=True, tunable="no"), "yes", "owner"),
        (Model(id="m", open_weights=False, tunable="no"), "no", None),
        (Model(id="m", open_weights=False), "unknown", None),
    ],
)
def test_whether_it_can_be_tuned(model: Model, said: str, by: str | None) -> None:
    found = weighed(model)

    assert (found.tunable, found.tunable_by) == (said, by)


@pytest.mark.parametrize(
    ("model", "made"),
    [
        (Model(id="m"), "instructed"),
        (Model(id="m", kind="base"), "base"),
        (Model(id="m@tuned", tuned_from="m"), "tuned"),
        (Model(id="m", kind="embedding"), "embedding"),
    ],
)
def test_what_kind_of_model_it_is(model: Model, made: str) -> None:
    assert weighed(model).made == made


@pytest.mark.parametrize(
    ("model", "family"),
    [
        (Model(id="m"), "Acme"),
        (Model(id="m", family="Llama"), "Llama"),
        (Model(id="m", kind="base"), "Acme"),
        (Model(id="m", kind="embedding"), None),  # known by its own name only
    ],
)
def test_the_family(model: Model, family: str | None) -> None:
    assert weighed(model, family="Acme").family == family

"""What flags ask for: settings by key, policies, request fields, and the call they make."""

from typing import Any

import pytest

from llmctl.cli.asked import Asked, make_call
from llmctl.cli.flags import first, pairs, request_fields, required
from llmctl.cli.stdin import Prompt
from llmctl.errors import UsageError
from llmctl.settings import Defaults, Settings
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Complete, Fill, Message, Role, message

HELLO = Prompt(None, "Hello")


def call(asked: Asked, prompt: Prompt = HELLO, **more: Any) -> Chat | Complete | Fill:
    given: dict[str, Any] = {
        "settings": Settings(), "rendered": None, "history": (), "schema": None, "model": "a/b",
        **more,
    }  # fmt: skip
    return make_call(asked, prompt, **given)


def chat(asked: Asked, **more: Any) -> Chat:
    made = call(asked, **more)
    assert isinstance(made, Chat)
    return made


def said(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(one.role.value, one.text) for one in messages]


def test_only_what_was_given_is_a_setting() -> None:
    assert Asked().settings_flags() == {}
    assert Asked(
        model="a/b", timeout=3.0, idle_timeout=1.0, privacy="network", encoding="cp866", log="meta",
    ).settings_flags() == {
        "defaults.model": "a/b", "network.timeout": 3.0, "network.idle_timeout": 1.0,
        "policy.max_level": "network", "output.encoding": "cp866", "log.mode": "meta",
    }  # fmt: skip


def test_the_stricter_of_two_flags_holds() -> None:
    flags = Asked(privacy="may-train", local_only=True, log="full", no_log=True).settings_flags()

    assert flags == {"policy.max_level": "device", "log.mode": "off"}


def test_each_flag_is_named_as_it_was_written() -> None:
    asked = Asked(local_only=True, require="region=RU,no-training", timeout=1.0)

    spelt = asked.spelt()

    assert spelt["policy.max_level"] == "--local-only"
    assert spelt["policy.regions"] == spelt["policy.no_training"] == "--require"
    assert asked.settings_flags().keys() <= spelt.keys()


@pytest.mark.parametrize(
    ("rules", "flags"),
    [
        (None, {}),
        ("", {}),
        ("region=RU", {"policy.regions": ["RU"]}),
        ("region=ru, region=EU", {"policy.regions": ["RU", "EU"]}),
        ("max-retention=0", {"policy.max_retention_days": 0}),
        (
            "no-training,open-weights,",
            {"policy.no_training": True, "policy.open_weights": True},
        ),
    ],
)
def test_rules_are_policies(rules: str | None, flags: dict[str, Any]) -> None:
    assert required(rules) == flags


@pytest.mark.parametrize(
    "rules", ["region", "region=", "max-retention=soon", "max-retention=-1", "no-training=no", "x"]
)
def test_a_rule_that_is_none(rules: str) -> None:
    with pytest.raises(UsageError) as caught:
        required(rules)
    assert "region=RU" in (caught.value.hint or "")


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert pairs(["a=b=c", "d="], "-p") == {"a": "b=c", "d": ""}
    assert pairs(None, "-p") == {}


@pytest.mark.parametrize("item", ["out.txt", "=x", ""])
def test_no_pair_points_at_output(item: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE") as caught:
        pairs([item], "-o")
    assert "--output" in (caught.value.hint or "")


def test_request_fields_are_json_where_they_read_as_json() -> None:
    given = ["a=1", "b=0.5", "c=true", "d=null", 'e={"f": [1]}', "g=fast", "h=[broken"]

    assert request_fields(given) == {
        "a": 1, "b": 0.5, "c": True, "d": None, "e": {"f": [1]}, "g": "fast", "h": "[broken",
    }  # fmt: skip


def test_flags_that_a_bare_text_has_no_use_for() -> None:
    for asked in (
        Asked(complete=True, system="s"),
        Asked(complete=True, template="t"),
        Asked(complete=True, schema="{}"),
        Asked(option=["out.txt"]),
    ):
        with pytest.raises(UsageError):
            asked.check()
    Asked(complete=True, option=["a=1"], system=None).check()


@pytest.mark.parametrize("empty", ["", ",", " ", " , "])
@pytest.mark.parametrize("name", ["require", "redact_names", "secrets", "privacy"])
def test_a_guard_that_is_empty_is_refused_and_does_not_stand_open(name: str, empty: str) -> None:
    given: dict[str, Any] = {name: empty}

    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is empty"):
        Asked(**given).check()


DEFAULTS = Settings(
    defaults=Defaults(
        system="from settings", max_tokens=1, temperature=0.1, seed=1, options={"a": 1, "b": 1}
    )
)
TEMPLATE = Rendered(
    system="from template",
    messages=(message(Role.USER, "from template"),),
    options={"b": 2, "c": 2},
    max_tokens=2,
    temperature=0.2,
)


def test_flags_beat_the_template_and_that_the_settings() -> None:
    made = chat(Asked(max_tokens=3, option=["c=3"]), settings=DEFAULTS, rendered=TEMPLATE)

    assert (made.max_tokens, made.temperature, made.seed) == (3, 0.2, 1)
    assert dict(made.options) == {"a": 1, "b": 2, "c": 3}
    assert said(made.messages) == [("system", "from template"), ("user", "from template")]


def test_zero_is_a_value_and_not_nothing() -> None:
    made = chat(Asked(temperature=0.0, seed=0), settings=DEFAULTS)

    assert (made.temperature, made.seed) == (0.0, 0)
    assert first(None, 0, 1) == 0
    assert first(None, None) is None


def test_a_conversation_goes_on_with_its_own_instructions() -> None:
    history = (
        message(Role.SYSTEM, "old"), message(Role.USER, "1"), message(Role.ASSISTANT, "2"),
    )  # fmt: skip

    made = chat(Asked(), history=history)
    assert said(made.messages) == [
        ("system", "old"), ("user", "1"), ("assistant", "2"), ("user", "Hello"),
    ]  # fmt: skip


@pytest.mark.parametrize("before", [(message(Role.SYSTEM, "old"),), ()])
def test_instructions_given_now_hold_instead_of_earlier_ones(before: tuple[Message, ...]) -> None:
    made = chat(Asked(system="new"), history=(*before, message(Role.USER, "1")))

    assert said(made.messages) == [("system", "new"), ("user", "1"), ("user", "Hello")]


@pytest.mark.parametrize(
    "name", ["model", "messages", "prompt", "contents", "system", "models", "preset"]
)
def test_no_option_says_what_the_call_itself_says(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no option"):
        chat(Asked(option=[f"{name}=x"]))


def test_what_a_call_has_from_its_flags() -> None:
    made = chat(Asked(no_stream=True, stop=["END"]), schema={"type": "object"})

    assert (made.model, made.stream, made.stop, made.schema) == (
        "a/b", False, ("END",), {"type": "object"},
    )  # fmt: skip


def test_a_base_model_continues_the_whole_text() -> None:
    made = call(Asked(complete=True, max_tokens=5, seed=7), Prompt("Once", "upon"))

    assert made == Complete("a/b", "Once\n\nupon", 5, None, 7, (), True, {})


def test_nothing_to_ask_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError):
        call(Asked(), Prompt(None, None))

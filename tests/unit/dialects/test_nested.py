"""Options under the name of their table: laid over what is there, never in its place."""

import pytest

from llmctl.dialects import DIALECTS
from llmctl.errors import UsageError
from llmctl.types import Chat, Complete, Json, Quirks, Role, message

ASKED = (message(Role.USER, "Why?"),)


def body(name: str, call: Chat | Complete) -> Json:
    return DIALECTS[name]().encode(call, Quirks(settings={"folder": "f"})).body


@pytest.mark.parametrize(
    ("dialect", "table", "limit"),
    [
        ("yandexgpt", "completionOptions", "maxTokens"),
        ("gigachat_v2", "model_options", "max_tokens"),
    ],
)
def test_a_table_keeps_what_flags_say(dialect: str, table: str, limit: str) -> None:
    call = Chat("m", ASKED, max_tokens=7, options={table: {"top_p": 0.5}})

    made = body(dialect, call)[table]
    assert (int(made[limit]), made["top_p"]) == (7, 0.5)
    assert table not in made


def test_a_table_of_text_generation_keeps_what_flags_say() -> None:
    call = Complete("m", "Once", max_tokens=7, options={"parameters": {"top_k": 3}})
    quirks = Quirks(settings={"text_generation": "tgi"})

    made = DIALECTS["huggingface"]().encode(call, quirks).body
    assert made is not None
    assert (made["parameters"]["max_new_tokens"], made["parameters"]["top_k"]) == (7, 3)
    assert "parameters" not in made["parameters"]


@pytest.mark.parametrize(
    ("dialect", "table"), [("yandexgpt", "completionOptions"), ("gigachat_v2", "model_options")]
)
def test_what_is_no_table_is_refused(dialect: str, table: str) -> None:
    with pytest.raises(UsageError, match=table):
        body(dialect, Chat("m", ASKED, options={table: 5}))

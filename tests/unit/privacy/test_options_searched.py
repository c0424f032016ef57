"""Options, schemas and functions are searched as JSON: keys beside their values, names included."""

import json

import pytest

from llmctl.types import Chat, Tool
from tests.unit.privacy.test_screening import KEY, MAIL, chat, refused, screened, sent


@pytest.mark.parametrize(
    "options",
    [
        {"metadata": {"phone": "9161234567"}}, {"metadata": {"passport": "4509 654321"}},
        {"inn": 7707083893}, {"inn": "7707083893"}, {"phone": 9161234567},
    ],
)  # fmt: skip
def test_what_only_its_key_tells_is_found(options: dict[str, object]) -> None:
    error = refused(chat("x", options=options), pii="block")

    assert f"(option {next(iter(options))})" in error.message


def test_a_schema_and_a_function_are_read_with_their_keys() -> None:
    schema = {"properties": {"ИНН": {"default": "7707083893"}}}
    tool = Tool("look", "", schema)

    assert "(schema)" in refused(chat("x", schema=schema), pii="block").message
    assert "(function look)" in refused(chat("x", tools=(tool,)), pii="block").message

    result = screened(chat("x", schema=schema), pii="redact")

    assert isinstance(result.call, Chat)
    assert result.call.schema == {"properties": {"ИНН": {"default": "[INN_1]"}}}


@pytest.mark.parametrize("name", [KEY, MAIL])
def test_the_name_of_an_option_is_searched_and_not_shown(name: str) -> None:
    call = chat("x", options={name: 1, "top_p": 0.5})

    error = refused(call, pii="block")

    assert name not in f"{error.message}{error.hint}"
    assert f"(option {name[:4]}…)" in error.message

    result = screened(call, pii="redact", secrets="redact")

    assert name not in sent(result)
    assert len(result.call.options) == 2
    assert result.call.options["top_p"] == 0.5


def test_two_options_that_would_become_one_are_refused() -> None:
    call = chat("x", options={MAIL: 1, MAIL.upper(): 2})

    assert "two keys" in refused(call, pii="redact").message


def test_a_value_of_json_is_kept_as_what_it_says() -> None:
    """`\\n` in the file of a service account is a line end, wherever it is put back."""
    body = "".join(f"{number:02}aQ9x{number * 7919:06}Zk" for number in range(40))
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    mark = "PRIVATE KEY-----"
    key = f"-----BEGIN {mark}\n{lines}\n-----END {mark}\n"
    account = json.dumps({"type": "service_account", "private_key": key})
    for text in (account, f'<file name="sa.json">\n{account}\n</file>', f"```json\n{account}\n```"):
        restorer = screened(chat(text), secrets="redact").restorer()

        assert restorer is not None
        assert restorer.text("[SECRET_1]", quoted=False) == key.removesuffix("\n")
        assert json.loads(restorer.text('{"k": "[SECRET_1]"}')) == {"k": key.removesuffix("\n")}

"""Screening: what is blocked, warned of or replaced, in every text of a call."""

import json
import random
import string
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import ConfigError, PrivacyRefused, Stopped, Terminated, UsageError
from llmctl.privacy import detect, searching
from llmctl.privacy.detect import Finding
from llmctl.privacy.pieces import changed
from llmctl.privacy.refusing import spelt
from llmctl.privacy.screening import Screened, screen
from llmctl.settings import Controls, Loaded, Origin, Policy, Settings
from llmctl.types import (
    Chat,
    Complete,
    Media,
    Message,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    message,
)
from llmctl.values import replace

# Made at run time: literals would look like leaked ones to scanners.
SIGNS = random.Random(7).choices(string.ascii_letters + string.digits, k=82)
KEY = "sk-proj-" + "".join(SIGNS[:48])
OTHER = "hf_" + "".join(SIGNS[48:])
MAIL = "anna.petrova@example.com"
PHONE = "+7 916 123-45-67"


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not there: it takes seconds to load."""
    monkeypatch.setattr(searching, "EXTRA", ("llmctl_has_no_such_module",))


def loaded(origin: Origin | None = None, **rules: Any) -> Loaded:
    place = origin or Origin("flag", "--flag")
    origins = {f"policy.{rule}": place.below("policy", rule) for rule in rules}
    for kind in rules.get("pii_by", {}):
        origins[f"policy.pii_by.{kind}"] = place.below("policy", "pii_by", kind)
    return Loaded(Settings(policy=Policy(**rules)), origins)


def chat(*texts: str, system: str | None = None, **more: Any) -> Chat:
    opening = () if system is None else (message(Role.SYSTEM, system),)
    return Chat("m", (*opening, *(message(Role.USER, text) for text in texts)), **more)


def attached(name: str, text: str) -> Chat:
    part = Text(f'<file name="{name}">\n{text}\n</file>', name)
    return Chat("m", (Message(Role.USER, (part, Text("x"))),))


def screened(call: Chat | Complete, *, is_local: bool = False, **rules: Any) -> Screened:
    return screen(call, loaded(**rules), is_local=is_local)


def sent(one: Screened) -> str:
    """Every text of the call that would leave."""
    texts: list[str] = []

    def noted(text: str, _place: object) -> str:
        texts.append(text)
        return text

    changed(one.call, noted)
    return "\n".join(texts)


def refused(call: Chat | Complete, *, is_local: bool = False, **rules: Any) -> PrivacyRefused:
    with pytest.raises(PrivacyRefused) as caught:
        screened(call, is_local=is_local, **rules)
    return caught.value


# -------------------------------------------------------------------------------------- secrets


def test_a_secret_is_held_back_from_an_api_and_not_from_a_local_model() -> None:
    call = chat(f"one\nmy key is {KEY}")

    error = refused(call)

    assert (error.exit_code, error.reason) == (4, "secrets")
    assert "OpenAI key (message, line 2)" in error.message
    assert error.hint is not None
    assert "--secrets redact" in error.hint
    assert "--secrets allow" in error.hint
    assert KEY not in f"{error.message}{error.hint}{error!r}"
    assert screened(call, is_local=True).call is call


def test_a_policy_blocks_for_local_models_too() -> None:
    assert refused(chat(KEY), is_local=True, secrets="block").reason == "secrets"


def test_allowed_secrets_are_not_even_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "find", None)

    assert screened(chat(KEY), secrets="allow").call == chat(KEY)


def test_a_file_that_demands_it_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[policy]\nsecrets = "block"\n')

    with pytest.raises(PrivacyRefused) as caught:
        screen(chat(KEY), loaded(Origin("user", str(file)), secrets="block"), is_local=False)

    assert f"{file}:2" in caught.value.message
    assert "--secrets" not in f"{caught.value.message}{caught.value.hint}"


def test_the_first_three_of_many_are_named() -> None:
    text = "\n".join(f"{KEY[:-2]}{number:02}" for number in range(10, 15))

    error = refused(chat(text))

    assert [f"line {number}" in error.message for number in range(1, 6)] == [True] * 3 + [False] * 2
    assert "and 2 more" in error.message


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (chat("x", system=f"a\n{KEY}"), "system prompt, line 2"),
        (Complete("m", KEY), "message, line 1"),
        (chat("x", stop=(KEY,)), "stop string"),
        (chat("x", options={"user": {"a": [KEY]}}), "option user"),
        (chat("x", schema={"properties": {"a": {"description": f"as {KEY}"}}}), "schema"),
        (chat("x", schema={"properties": {KEY: {}}}), "schema"),
        (chat("x", tools=(Tool("look", f"with {KEY}", {}),)), "function look"),
        (chat("x", tools=(Tool("look", "", {"description": KEY}),)), "function look"),
        (Chat("m", (Message(Role.ASSISTANT, (ToolCall("1", "look", f'{{"k": "{KEY}"}}'),)),)),
         "call of look"),
        (Chat("m", (Message(Role.TOOL, (ToolResult("1", "look", KEY),)),)),
         "result of look, line 1"),
        (Chat("m", (message(Role.ASSISTANT, KEY),)), "an earlier answer, line 1"),
        (attached("a.txt", f"\n{KEY}"), "a.txt, line 2"),
        (attached(KEY, "x"), "the name of an attached file"),
        (Chat("m", (Message(Role.USER, (Media("image/png", b"x", name=KEY),)),)),
         "the name of an attached file"),
    ],
)  # fmt: skip
def test_every_text_that_leaves_is_searched(call: Chat | Complete, place: str) -> None:
    error = refused(call)

    assert f"OpenAI key ({place})" in error.message
    assert KEY not in f"{error.message}{error.hint}"

    # Where it stays on one's own hardware, files may go that only their names can be searched of.
    result = screened(call, secrets="redact", is_local=True)

    assert KEY not in sent(result)
    assert "[SECRET_1]" in sent(result)
    assert result.redactions == {"secret": 1}


PICTURE = Media("image/png", b"x", name="scan.png")


def picture(name: str = "scan.png") -> Chat:
    return Chat("m", (Message(Role.USER, (replace(PICTURE, name=name), Text("x"))),))


def test_what_cannot_be_searched_is_told() -> None:
    [note] = screened(picture()).notes

    assert (note.code, "scan.png" in note.text) == ("not-searched", True)


@pytest.mark.parametrize(
    "rules",
    [{"pii": "redact"}, {"pii": "block"}, {"pii": "local-only"}, {"secrets": "redact"},
     {"secrets": "block"},
     {"pii_by": {"email": "redact"}}, {"pii": "warn", "pii_by": {"phone": "block"}}],
)  # fmt: skip
def test_what_cannot_be_searched_does_not_leave_where_policy_has_it_searched(
    rules: dict[str, Any],
) -> None:
    error = refused(picture(), **rules)

    assert (error.exit_code, error.reason) == (4, "not-searched")
    assert "scan.png" in error.message
    assert "--flag" in error.message
    assert "leave --flag out" in str(error.hint)
    assert "llmctl models list local" in str(error.hint)


@pytest.mark.parametrize(
    "rules", [{}, {"secrets": "allow"}, {"pii": "warn"}, {"pii": "allow"},
              {"pii": "allow", "pii_by": {"email": "warn"}}],
)  # fmt: skip
def test_it_may_leave_where_policy_asks_for_no_more_than_a_look(rules: dict[str, Any]) -> None:
    assert screened(picture(), **rules).call == picture()


def test_it_may_go_to_what_stays_here() -> None:
    result = screened(picture(), is_local=True, pii="redact", secrets="redact")

    assert result.call == picture()
    assert "not-searched" in [note.code for note in result.notes]


def test_a_list_of_names_holds_for_files_too(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ромашка\n")
    privacy = Controls(redact_names=str(tmp_path / "names.txt"))
    own = Loaded(Settings(privacy=privacy), {})

    with pytest.raises(PrivacyRefused, match=r"scan\.png"):
        screen(picture(), own, is_local=False)


def test_a_file_that_forbids_it_names_no_flag_to_leave_out(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[policy]\npii = "block"\n')

    with pytest.raises(PrivacyRefused) as caught:
        screen(picture(), loaded(Origin("user", str(file)), pii="block"), is_local=False)

    assert f"{file}:2" in caught.value.message
    assert "out" not in str(caught.value.hint)


def test_a_name_that_must_not_be_seen_is_not_shown_in_the_refusal() -> None:
    error = refused(picture(f"{MAIL}.png"), pii="redact")

    assert MAIL not in f"{error.message}{error.hint}"
    assert "image/png" in error.message


def test_a_file_whose_name_is_a_secret_is_not_named() -> None:
    error = refused(attached(KEY, OTHER))

    assert "(the name of an attached file), Hugging Face token (an attached file, line 1)" in (
        error.message
    )
    assert KEY not in error.message


def test_what_only_looks_like_a_secret_is_warned_of_and_sent() -> None:
    call = chat("x\n+password = 'kQ7vB2nX9c'")

    result = screened(call)

    assert result.call == call
    assert [note.code for note in result.notes] == ["maybe-secret"]
    assert "message, line 2" in result.notes[0].text
    assert "kQ7vB2nX9c" not in result.notes[0].text
    assert "kQ7vB2nX9c" not in sent(screened(call, secrets="redact"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("openai-key", "OpenAI key"), ("pem", "PEM private key"), ("api-key", "API key"),
        ("yandex-oauth", "Yandex OAuth"), ("url-password", "password in a URL"), (None, "secret"),
    ],
)  # fmt: skip
def test_secrets_have_names_for_people(name: str | None, words: str) -> None:
    assert spelt(name, Settings()) == words


# -------------------------------------------------------------------------------- personal data


def test_without_a_policy_personal_data_is_not_looked_for() -> None:
    result = screened(chat(MAIL))

    assert (result.call, result.found, result.notes) == (chat(MAIL), {}, ())


def test_a_warning_counts_by_type() -> None:
    result = screened(chat(f"{MAIL}, bob@example.com", f"phone: {PHONE}"), pii="warn")

    texts = {note.code: note.text for note in result.notes}
    assert "2 email, 1 phone" in texts["personal-data"]
    assert result.found == result.left == {"email": 2, "phone": 1}
    assert result.redactions == {}
    assert MAIL in sent(result)


def test_a_rule_for_a_type_beats_that_for_all() -> None:
    call = chat(f"{MAIL}; phone: {PHONE}")

    result = screened(call, pii="redact", pii_by={"email": "allow"})

    assert sent(result) == f"{MAIL}; phone: [PHONE_1]"
    assert refused(call, pii="allow", pii_by={"phone": "block"}).reason == "personal-data"
    assert screened(call, pii="block", pii_by={"phone": "warn", "email": "warn"}).call == call


def test_blocked_personal_data_is_refused_with_the_rule_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[policy.pii_by]\nemail = "block"\n')
    origin = Origin("user", str(file))

    with pytest.raises(PrivacyRefused) as caught:
        screen(chat(f"a\n{MAIL}"), loaded(origin, pii_by={"email": "block"}), is_local=True)

    assert "email (message, line 2)" in caught.value.message
    assert f"{file}:2" in caught.value.message
    assert MAIL not in f"{caught.value.message}{caught.value.hint}"


def test_what_must_stay_goes_to_local_models_only() -> None:
    call = chat(MAIL)

    assert screened(call, pii="local-only", is_local=True).call == call
    error = refused(call, pii="local-only")
    assert error.hint is not None
    assert "models list local" in error.hint


def test_one_value_has_one_placeholder_in_all_texts_of_a_call() -> None:
    call = chat(f"To {MAIL}", f"Was it {MAIL.upper()}?", system=f"You are {MAIL}.")

    result = screened(call, pii="redact")

    assert sent(result) == "You are [EMAIL_1].\nTo [EMAIL_1]\nWas it [EMAIL_1]?"
    assert result.redactions == {"email": 1}
    assert result.found == {"email": 3}
    assert result.left == {}


def test_a_number_known_by_the_words_beside_it_is_replaced_without_them_too() -> None:
    call = chat("Паспорт 45 09 123456, выдан в Москве", "45 09 123456, not 145 09 123456")

    result = screened(call, pii="redact")

    assert "Паспорт [PASSPORT_1]," in sent(result)
    assert "\n[PASSPORT_1], not 145 09 123456" in sent(result)


def test_placeholders_of_earlier_turns_are_not_taken_again() -> None:
    said = (message(Role.USER, "I am [EMAIL_1]"), message(Role.ASSISTANT, "Hello, [email_2]"))
    call = Chat("m", (*said, message(Role.USER, f"And {MAIL}?")))

    result = screened(call, pii="redact")

    assert sent(result).endswith("And [EMAIL_3]?")
    restorer = result.restorer()
    assert restorer is not None
    assert restorer.text("[EMAIL_1] [EMAIL_2] [EMAIL_3]") == f"[EMAIL_1] [EMAIL_2] {MAIL}"


def test_a_call_that_goes_on_keeps_its_placeholders() -> None:
    first = screened(chat(f"I am {MAIL}"), pii="redact")
    assert isinstance(first.call, Chat)
    longer = replace(
        first.call,
        messages=(*first.call.messages, message(Role.ASSISTANT, "[EMAIL_1] bob@example.com")),
    )

    second = screen(longer, loaded(pii="redact"), is_local=False, earlier=first)

    assert sent(second) == "I am [EMAIL_1]\n[EMAIL_1] [EMAIL_2]"
    restorer = second.restorer()
    assert restorer is not None
    assert restorer.text("[EMAIL_1]") == MAIL
    assert second.before == chat(f"I am {MAIL}")
    assert second.notes == ()


def test_json_in_messages_calls_and_options_stays_json() -> None:
    text = json.dumps({"инн": 7707083893, "mail": f"\n{MAIL}", "key": KEY}, ensure_ascii=False)
    part = ToolCall("1", "look", text)
    call = Chat(
        "m",
        (message(Role.USER, text), Message(Role.ASSISTANT, (part,))),
        options={"card": 4111111111111111, "n": 5, "t": True},
    )

    result = screened(call, pii="redact", secrets="redact")

    assert isinstance(result.call, Chat)
    expected = {"инн": "[INN_1]", "mail": "\n[EMAIL_1]", "key": "[SECRET_1]"}
    assert json.loads(result.call.messages[0].text) == expected
    called = result.call.messages[1].parts[0]
    assert isinstance(called, ToolCall)
    assert json.loads(called.arguments) == expected
    assert result.call.options == {"card": "[CARD_1]", "n": 5, "t": True}


def test_keys_of_a_schema_that_would_become_one_are_refused() -> None:
    call = chat("x", schema={"properties": {MAIL: {}, MAIL.upper(): {}}})

    assert "schema" in refused(call, pii="redact").message


def test_personal_data_is_looked_for_where_only_its_regions_matter() -> None:
    result = screened(chat(MAIL), pii_regions=("RU",))

    assert result.left == {"email": 1}
    assert result.notes == ()


# --------------------------------------------------------------------------------------- names


def test_without_the_extra_it_is_said_that_names_are_not_covered() -> None:
    result = screened(chat("hello"), pii="redact")

    assert [note.code for note in result.notes] == ["names-not-covered"]
    assert "llmctl-cli[pii]" in result.notes[0].text


@pytest.mark.parametrize(
    ("origin", "insists"),
    [
        (Origin("flag", "--redact"), False),
        (Origin("user", "config.toml"), True),
        (Origin("project", ".llmctl.toml"), True),
        (Origin("environment", "LLMCTL_POLICY__PII"), True),
    ],
)
@pytest.mark.parametrize("how", ["warn", "redact", "local-only", "block"])
def test_of_a_policy_it_is_said_whatever_is_hushed(origin: Origin, insists: bool, how: Any) -> None:
    loaded = Loaded(Settings(policy=Policy(pii=how)), {"policy.pii": origin})
    (note,) = screen(chat("hello"), loaded, is_local=False).notes

    assert (note.code, note.insists) == ("names-not-covered", insists)


@pytest.mark.parametrize("how", ["warn", "redact", "local-only", "block"])
def test_a_rule_for_names_that_nothing_can_follow_stops_the_call(how: str) -> None:
    error = refused(chat("hello"), pii_by={"person": how})

    assert error.reason == "no-detector"
    assert error.hint is not None
    assert "llmctl-cli[pii]" in error.hint
    assert screened(chat("hello"), pii_by={"person": "allow"}).notes == ()


def test_names_are_replaced_where_they_can_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Collection[str] | None, bool]] = []

    def find(text: str, *, types: Collection[str] | None, names: bool) -> list[Finding]:
        asked.append((types, names))
        return [Finding("person", 0, 4)] if text.startswith("Анна") else []

    monkeypatch.setattr(searching, "EXTRA", ("json",))
    monkeypatch.setattr(detect, "find", find)

    result = screened(chat("Анна звонила", "Звонила Анна"), pii_by={"person": "redact"})

    assert sent(result) == "[PERSON_1] звонила\nЗвонила [PERSON_1]"
    assert asked[0] == (("secret",), True)


# ------------------------------------------------------------------------------------- the rest


def test_a_detector_that_fails_stops_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(text: str, **_how: Any) -> list[Finding]:
        raise RuntimeError(text)

    monkeypatch.setattr(detect, "find", find)

    error = refused(chat("my secret text"))

    assert (error.exit_code, error.reason) == (4, "search-failed")
    assert "RuntimeError" in error.message
    assert "my secret" not in error.message
    assert error.__suppress_context__


def test_a_signal_during_the_search_is_no_failure_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_text: str, **_how: Any) -> list[Finding]:
        raise Stopped(Terminated("terminated"))

    monkeypatch.setattr(detect, "find", find)

    with pytest.raises(Stopped):
        screened(chat("text"))


def test_a_long_search_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 10.6])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))

    result = screened(chat("x " * 25_000))

    assert [note.code for note in result.notes] == ["searched"]
    assert "0.05 million" in result.notes[0].text
    assert "0.6 s" in result.notes[0].text


def test_what_is_not_text_is_named() -> None:
    parts = (Text("look"), Media("image/png", b"x", name="scan.png"), Media("audio/wav", b"y"))

    result = screened(Chat("m", (Message(Role.USER, parts),)))

    assert [note.code for note in result.notes] == ["not-searched"]
    assert "scan.png, audio/wav" in result.notes[0].text


def test_what_stands_behind_placeholders_is_not_shown() -> None:
    result = screened(chat(f"{MAIL} {KEY}"), pii="redact", secrets="redact")

    assert MAIL not in repr(result.placeholders)
    assert MAIL not in repr(replace(result, before=None))
    assert KEY not in repr(replace(result, before=None))


@pytest.mark.parametrize("unit", [f"{MAIL} ", "a{0}@x{0}.com ", "Паспорт 45 09 1{0:05} "])
def test_a_text_full_of_findings_takes_linear_time(unit: str) -> None:
    def seconds(count: int) -> float:
        call = chat("".join(unit.format(number) for number in range(count)))
        best = 1e9
        for _try in range(2):
            begun = time.process_time()
            screened(call, pii="redact")
            best = min(best, time.process_time() - begun)
        return best

    small, large = seconds(500), seconds(2000)

    assert large < 10 * small + 0.05  # four times the text; quadratic would be sixteen


def test_the_users_own_list_of_names_is_replaced_everywhere(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Project Nimbus\n\n  Иванов  \nЯн\n", "utf-8")
    settings = Settings(privacy=Controls(redact_names=str(tmp_path / "names.txt")))
    call = chat("project nimbus and ИВАНОВ, Иванова, Ян", "Nimbus; Янтарь")

    result = screen(call, Loaded(settings, {}), is_local=True)

    assert sent(result) == "[PERSON_1] and [PERSON_2], Иванова, [PERSON_3]\nNimbus; Янтарь"
    assert result.redactions == {"person": 3}
    restorer = result.restorer()
    assert restorer is not None
    assert restorer.text("[PERSON_1]") == "project nimbus"


def test_a_list_of_names_that_is_not_there_stops_the_call(tmp_path: Path) -> None:
    settings = Settings(privacy=Controls(redact_names=str(tmp_path / "none.txt")))

    with pytest.raises(ConfigError, match="No such file"):
        screen(chat("x"), Loaded(settings, {}), is_local=False)

    named = {"privacy.redact_names": Origin("flag", "--redact-names")}
    with pytest.raises(UsageError, match="No such file"):
        screen(chat("x"), Loaded(settings, named), is_local=False)


def test_a_list_without_a_name_is_not_no_list() -> None:
    """An empty variable must not take the user's own list away."""
    settings = Settings(privacy=Controls(redact_names=""))

    with pytest.raises(ConfigError, match="cannot read the names"):
        screen(chat("x"), Loaded(settings, {}), is_local=True)

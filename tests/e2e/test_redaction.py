"""Secrets and personal data on their way out, and what comes back in their place."""

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Llmctl, Result
from tests.e2e.table import last
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

# Made at run time: a literal would look like a leaked one to scanners.
KEY = "sk-proj-" + "".join(random.Random(11).choices(string.ascii_letters + string.digits, k=48))
MAIL = "anna.petrova@example.com"
MODEL = ("-m", "openai/mock")
DIFF = "\n".join(
    f"+{name} = {value}"
    for name in ("token", "api_key", "password", "secret")
    for value in ('"changeme"', "os.environ['X']", "get_token()", "None", "'s3cr3t-Pa55'")
)  # fmt: skip
# Names of people are looked for by a model that takes a second to load.
NO_NAMES = '[policy]\npii_by = { person = "allow" }\n'


@pytest.fixture(autouse=True)
def structured_only(llmctl: Llmctl) -> None:
    llmctl.config.mkdir()
    configured(llmctl, NO_NAMES)


def configured(llmctl: Llmctl, text: str) -> Path:
    file = llmctl.config / "config.toml"
    file.write_text(text, "utf-8")
    return file


def body(sim: Simulator) -> Any:
    """The last request, as the provider has it."""
    return sim.calls[-1].json


def kept(llmctl: Llmctl) -> bytes:
    """All that the run has left in files."""
    files = [*llmctl.data.rglob("*"), *llmctl.config.rglob("*"), *llmctl.home.rglob("*")]
    return b"\n".join(file.read_bytes() for file in files if file.is_file())


def well(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


# --------------------------------------------------------------------------------------- secrets


def test_a_diff_full_of_assignments_is_sent(llmctl: Llmctl, sim: Simulator) -> None:
    result = well(llmctl.run(*MODEL, "write the commit message", stdin=DIFF.encode()))

    assert "--secrets redact" in result.err
    assert "s3cr3t" not in result.err
    assert DIFF in body(sim)["messages"][-1]["content"]
    assert well(llmctl.run(*MODEL, "-q", "again", stdin=DIFF.encode())).err == ""


def test_a_diff_with_a_key_is_refused_before_anything_is_sent(
    llmctl: Llmctl, sim: Simulator
) -> None:
    diff = f"+a = 1\n+client = Client('{KEY}')\n"

    result = llmctl.run(*MODEL, "write the commit message", stdin=diff.encode())

    assert (result.code, result.out) == (4, "")
    assert "OpenAI key (message, line 2)" in result.err
    assert "--secrets redact" in result.err
    assert KEY not in result.err
    assert KEY.encode() not in kept(llmctl)
    assert sim.requests == []


def test_the_refusal_in_json_does_not_show_it_either(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run(*MODEL, "-v", "--json", KEY)

    assert (result.code, result.json["error"]["code"]) == (4, "privacy-refused")
    assert result.json["error"]["reason"] == "secrets"
    assert KEY not in result.out + result.err
    assert sim.requests == []


def test_a_local_model_may_have_them(llmctl: Llmctl, sim: Simulator) -> None:
    assert well(llmctl.run("-m", "llamacpp/mock", f"Repeat: {KEY}")).out == f"{KEY}\n"


def test_a_flag_does_not_go_before_a_policy(llmctl: Llmctl, sim: Simulator) -> None:
    file = configured(llmctl, '[policy]\nsecrets = "block"\n')

    for model in ("openai/mock", "llamacpp/mock"):
        result = llmctl.run("-m", model, "--secrets", "allow", KEY)

        assert result.code == 4
        assert f"{file}:2" in result.err
    assert sim.requests == []


def test_allowed_ones_are_sent_as_they_are(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run(*MODEL, "--secrets", "allow", f"Repeat: {KEY}")

    assert well(result).out == f"{KEY}\n"
    assert KEY.encode() in sim.calls[-1].body


def test_a_key_is_replaced_on_the_way_out_and_put_back_in_the_answer(
    llmctl: Llmctl, sim: Simulator
) -> None:
    result = well(llmctl.run(*MODEL, "--secrets", "redact", f"Repeat: key={KEY}."))

    assert result.out == f"key={KEY}.\n"
    assert body(sim)["messages"][-1]["content"] == "Repeat: key=[SECRET_1]."
    assert KEY.encode() not in sim.calls[-1].body
    files = kept(llmctl)
    assert KEY.encode() not in files
    assert files.count(b"[SECRET_1]") >= 2  # the prompt and the answer, as they went


# --------------------------------------------------------------------------------- personal data


@pytest.mark.parametrize("flags", [(), ("--no-stream",), ("--output", "out.txt"), ("-x",)])
def test_answers_show_what_placeholders_stand_for(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...]
) -> None:
    result = well(llmctl.run(*MODEL, "--redact", *flags, f"Repeat: To {MAIL}, {MAIL}!"))

    shown = (llmctl.home / "out.txt").read_text() if "--output" in flags else result.out
    assert shown == f"To {MAIL}, {MAIL}!\n"
    assert body(sim)["messages"][-1]["content"] == "Repeat: To [EMAIL_1], [EMAIL_1]!"
    if "--output" not in flags:
        assert MAIL.encode() not in kept(llmctl)


def test_the_envelope_counts_and_shows_them(llmctl: Llmctl, sim: Simulator) -> None:
    prompt = f"Repeat: {MAIL}, bob@example.com and {KEY}"

    result = well(llmctl.run(*MODEL, "--redact", "--json", prompt))

    assert result.json["text"] == prompt.removeprefix("Repeat: ")
    assert result.json["privacy"]["redactions"] == {"email": 2, "secret": 1}
    shown = json.loads(well(llmctl.run("logs", "show", "--json")).out)
    assert shown["text"] == "[EMAIL_1], [EMAIL_2] and [SECRET_1]"
    assert shown["privacy"]["redactions"] == {"email": 2, "secret": 1}


def test_events_are_restored_as_they_come(llmctl: Llmctl, sim: Simulator) -> None:
    text = f"one {MAIL} two {MAIL} three"

    result = well(llmctl.run(*MODEL, "--redact", "--events", f"Repeat: {text}"))

    lines = [json.loads(line) for line in result.out.splitlines()]
    assert "".join(one["text"] for one in lines if one["type"] == "text") == text
    assert lines[-1]["text"] == text
    kinds = [one["type"] for one in lines]
    assert kinds.index("finished") > max(at for at, kind in enumerate(kinds) if kind == "text")
    assert kinds.count("text") > 2


def test_an_answer_that_breaks_off_shows_all_that_came(llmctl: Llmctl, sim: Simulator) -> None:
    text = f"Dear {MAIL}, " * 3 + "[" * 40

    result = llmctl.run("-m", "openai/mock-fault-cut", "--redact", f"Repeat: {text}")

    assert result.code == 11
    assert MAIL in result.out
    whole = text.replace(MAIL, "[EMAIL_1]")
    came = result.out.rstrip("\n").replace(MAIL, "[EMAIL_1]")
    assert whole.startswith(came)
    assert last(llmctl).text == came


def test_every_text_of_the_call_is_covered(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("-s", f"You are {MAIL}", "--stop", MAIL, "-o", f"user={MAIL}")

    well(llmctl.run(*MODEL, "--redact", *flags, "hello"))

    assert MAIL.encode() not in sim.calls[-1].body
    assert body(sim)["user"] == "[EMAIL_1]"
    assert body(sim)["messages"][0]["content"] == "You are [EMAIL_1]"


def test_an_answer_for_a_schema_is_checked_with_what_it_stands_for(
    llmctl: Llmctl, sim: Simulator
) -> None:
    schema = {
        "type": "object",
        "properties": {"mail": {"const": MAIL, "maxLength": len(MAIL)}},
        "required": ["mail"],
    }

    result = well(llmctl.run(*MODEL, "--redact", "--schema", json.dumps(schema), "Who?"))

    assert json.loads(result.out) == {"mail": MAIL}
    assert MAIL.encode() not in sim.calls[-1].body


def test_a_repair_keeps_the_placeholders(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["no-schema", "ok"])
    schema = '{"type": "object", "properties": {"mail": {"type": "string"}}}'

    well(llmctl.run(*MODEL, "--redact", "--repair", "--schema", schema, f"Who is {MAIL}?"))

    assert len(sim.calls) == 2
    said = [one["content"] for one in body(sim)["messages"]]
    assert said[0] == "Who is [EMAIL_1]?"
    assert len(said) == 3
    assert all(MAIL.encode() not in one.body for one in sim.calls)


def test_later_turns_take_other_placeholders(llmctl: Llmctl, sim: Simulator) -> None:
    well(llmctl.run(*MODEL, "--redact", f"Repeat: I am {MAIL}"))

    result = well(llmctl.run(*MODEL, "--redact", "-c", "Repeat: bob@example.com or [EMAIL_1]"))

    said = [one["content"] for one in body(sim)["messages"]]
    assert said == [
        "Repeat: I am [EMAIL_1]", "I am [EMAIL_1]", "Repeat: [EMAIL_2] or [EMAIL_1]",
    ]  # fmt: skip
    assert result.out == "bob@example.com or [EMAIL_1]\n"


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [("warn", 0, "1 email"), ("redact", 0, ""), ("local-only", 4, ":2"), ("block", 4, ":2"),
     ("allow", 0, "")],
)  # fmt: skip
def test_policy_has_the_say_on_personal_data(
    llmctl: Llmctl, sim: Simulator, rule: str, code: int, said: str
) -> None:
    configured(llmctl, f'[policy]\npii_by = {{ email = "{rule}" }}\n')

    result = llmctl.run(*MODEL, f"Repeat: {MAIL}")

    assert result.code == code
    assert said in result.err
    assert MAIL not in result.err
    if code:
        assert sim.requests == []
    else:
        assert result.out == f"{MAIL}\n"
        assert (MAIL.encode() in sim.calls[-1].body) == (rule != "redact")


# ----------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    "model", ["openai/mock", "openai/gpt-6-luna", "gemini/mock", "anthropic/mock", "ollama/mock"]
)
def test_a_dry_run_prints_what_would_leave(llmctl: Llmctl, sim: Simulator, model: str) -> None:
    (llmctl.home / "contract.txt").write_text(f"Between {MAIL}\nand bob@example.com, {KEY}.\n")
    flags = ("-m", model, "-a", "contract.txt", "--redact", "Summarise")

    dry = well(llmctl.run("--dry-run", *flags))

    assert sim.requests == []
    assert MAIL not in dry.out
    assert KEY not in dry.out
    assert dry.json["privacy"]["redactions"] == {"email": 2, "secret": 1}
    well(llmctl.run(*flags))
    assert json.dumps(dry.json["body"]) == json.dumps(body(sim))
    assert "contract.txt" in json.dumps(dry.json["body"])
    assert "Between [EMAIL_1]\\nand [EMAIL_2], [SECRET_1].\\n" in json.dumps(dry.json["body"])


def test_a_dry_run_is_refused_like_the_call_itself(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "contract.txt").write_text(f"a\nb\n{KEY}\n")

    result = llmctl.run("--dry-run", *MODEL, "-a", "contract.txt", "Summarise")

    assert (result.code, result.out) == (4, "")
    assert "OpenAI key (contract.txt, line 3)" in result.err


def test_files_go_before_the_prompt_in_their_order(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "b.txt").write_text("second")
    (llmctl.home / "a.txt").write_text("first\n")

    well(llmctl.run(*MODEL, "-a", "a.txt", "-a", "-", "-a", "b.txt", "Compare", stdin=b"piped"))

    assert body(sim)["messages"][-1]["content"] == (
        '<file name="a.txt">\nfirst\n</file>\n\n'
        '<file name="input">\npiped\n</file>\n\n'
        '<file name="b.txt">\nsecond\n</file>\n\n'
        "Compare"
    )


def test_a_file_alone_is_a_prompt(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "a.txt").write_text("Hello\n")

    well(llmctl.run(*MODEL, "-a", "a.txt"))

    assert body(sim)["messages"][-1]["content"] == '<file name="a.txt">\nHello\n</file>'


def test_names_of_files_are_screened_too(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / f"{MAIL}.txt").write_text("Hello\n")

    well(llmctl.run(*MODEL, "--redact", "-a", f"{MAIL}.txt", "Summarise"))

    assert MAIL.encode() not in sim.calls[-1].body


def test_a_list_of_ones_own_is_replaced(llmctl: Llmctl, sim: Simulator) -> None:
    (llmctl.home / "names.txt").write_text("Project Nimbus\n")

    result = llmctl.run(*MODEL, "--redact-names", "names.txt", "Repeat: project nimbus is late")

    assert well(result).out == "project nimbus is late\n"
    assert body(sim)["messages"][-1]["content"] == "Repeat: [PERSON_1] is late"


def test_markdown_on_a_terminal_shows_what_it_stands_for(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.on_terminal(*MODEL, "--redact", f"Repeat: **To** {MAIL}, `{MAIL}`")

    assert result.code == 0
    assert result.out.count(MAIL) == 2
    assert "EMAIL" not in result.out
    assert MAIL.encode() not in sim.calls[-1].body


def test_a_local_server_that_passes_on_to_a_cloud_does_not_get_a_secret(
    llmctl: Llmctl, sim: Simulator
) -> None:
    model = ("-m", "ollama/mock-fault-elsewhere")

    result = llmctl.run(*model, f"Is it blue? {KEY}")

    assert result.code == 4
    assert "OpenAI key" in result.err
    assert KEY not in result.err
    assert all(KEY.encode() not in one.body for one in sim.requests)
    well(llmctl.run(*model, "Is it blue?"))

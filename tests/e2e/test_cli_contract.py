"""What one prompt promises on the command line: where a prompt comes from, and what each flag does.
The envelope of `--json` and the other commands have files of their own beside this one."""

import json
import re
import time

import pytest

from tests.e2e.harness import KEY, Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import TEXT, THOUGHT

SCHEMA = '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'
BLOCK = "Repeat: First\n```py\nprint(1)\n```\nthen\n```sh\nls\n```\n"


@pytest.fixture(autouse=True)
def default_model(llmctl: Llmctl) -> None:
    llmctl.env["LLMCTL_DEFAULTS__MODEL"] = "openai/mock"


def said(sim: Simulator) -> list[tuple[str, str]]:
    """(role, text) of each message of the last call."""
    return [(one["role"], one["content"]) for one in sim.calls[-1].json["messages"]]


# ------------------------------------------------------------------------------- where prompts come


def test_a_bare_prompt_is_asked_and_stdout_is_the_answer_alone(
    llmctl: Llmctl, sim: Simulator
) -> None:
    result = llmctl.run("Why is the sky blue?")

    assert (result.code, result.out, result.err) == (0, TEXT + "\n", "")
    assert said(sim) == [("user", "Why is the sky blue?")]
    assert sim.calls[-1].json["stream"] is True


def test_standard_input_comes_before_the_argument(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run(stdin=b"from a pipe\n")
    assert said(sim) == [("user", "from a pipe")]

    llmctl.run("ask", "what is this?", stdin=b"line one\nline two\n")
    [(role, text)] = said(sim)
    assert role == "user"
    assert re.fullmatch(r"line one\nline two\n+what is this\?", text)


def test_standard_input_can_be_left_alone(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("--no-stdin", "only this", stdin=b"not this")

    assert said(sim) == [("user", "only this")]


def test_a_file_is_read_like_a_pipe(llmctl: Llmctl, sim: Simulator) -> None:
    file = llmctl.home / "question.txt"
    file.write_text("from a file\n", encoding="utf-8")

    with file.open("rb") as stdin:
        assert llmctl.run(stdin=stdin).code == 0
    assert said(sim) == [("user", "from a file")]


@pytest.mark.parametrize("stdin", [None, b"", b" \n"])
def test_nothing_to_ask_is_usage_and_no_hang(llmctl: Llmctl, stdin: bytes | None) -> None:
    result = llmctl.run(stdin=stdin, timeout=10)

    assert (result.code, result.out) == (2, "")
    assert 'llmctl "Why is the sky blue?"' in result.err
    assert "llmctl --help" in result.err


def test_an_open_and_silent_input_says_what_is_awaited(llmctl: Llmctl, sim: Simulator) -> None:
    begun = time.monotonic()
    with llmctl.start("and this", stdin=b"") as running:
        told = running.error_until(b"--no-stdin", 10)
        waited = time.monotonic() - begun
        assert b"standard input" in told
        assert sim.calls == []
        result = running.end(b"late", 10)

    assert 2.0 <= waited < 6.0
    assert result.code == 0
    assert [text.split() for _role, text in said(sim)] == [["late", "and", "this"]]


@pytest.mark.parametrize("word", ["modls", "Keys", "doctro", "hlp"])
def test_a_word_that_is_nearly_a_command_names_both_spellings(
    llmctl: Llmctl, sim: Simulator, word: str
) -> None:
    meant = {"modls": "models", "Keys": "keys", "doctro": "doctor", "hlp": "help"}[word]

    result = llmctl.run(word)

    assert (result.code, result.out, sim.calls) == (2, "", [])
    assert f"llmctl {meant}" in result.err
    assert f"llmctl ask {word}" in result.err


def test_a_word_can_be_sent_all_the_same_and_distant_ones_are_prompts(
    llmctl: Llmctl, sim: Simulator
) -> None:
    assert llmctl.run("ask", "modls").code == 0
    assert said(sim) == [("user", "modls")]

    assert llmctl.run("Photosynthesis").code == 0
    assert said(sim) == [("user", "Photosynthesis")]


def test_words_without_quotes_are_refused(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("Why", "is", "the", "sky", "blue")
    assert (result.code, sim.calls) == (2, [])
    assert 'llmctl "Why is the sky blue?"' in result.err

    result = llmctl.run("modls", "list")
    assert (result.code, sim.calls) == (2, [])
    assert "llmctl models" in result.err


# ------------------------------------------------------------------------------------ what is asked


def test_every_knob_reaches_the_wire(llmctl: Llmctl, sim: Simulator) -> None:
    flags = "-s Briefly -o top_p=0.5 -o user=me --max-tokens 50 --temperature 0.2 --seed 7"
    assert llmctl.run(*flags.split(), "--stop", "END", "--stop", "\n\n", "hello there").code == 0

    body = sim.calls[-1].json
    # OpenAI's own names: instructions of a developer, and a limit that counts reasoning.
    assert said(sim) == [("developer", "Briefly"), ("user", "hello there")]
    assert body["max_completion_tokens"] == 50
    assert (body["temperature"], body["seed"], body["stop"]) == (0.2, 7, ["END", "\n\n"])
    assert (body["top_p"], body["user"]) == (0.5, "me")


def test_the_same_knobs_in_ollamas_words(llmctl: Llmctl, sim: Simulator) -> None:
    flags = "-m ollama/mock -s Briefly -o num_ctx=512 --max-tokens 50 --temperature 0 --seed 7"
    assert llmctl.run(*flags.split(), "hello there").code == 0

    assert said(sim) == [("system", "Briefly"), ("user", "hello there")]
    wanted = {"num_ctx": 512, "num_predict": 50, "temperature": 0, "seed": 7}
    assert sim.calls[-1].json["options"] == wanted


def test_no_stream_prints_the_same(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--no-stream", "hello there")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert not sim.calls[-1].json.get("stream")


@pytest.mark.parametrize("flag", ["-o", "--option", "-p", "--param"])
def test_a_value_without_an_equals_sign_points_at_output(
    llmctl: Llmctl, sim: Simulator, flag: str
) -> None:
    with llmctl.start(flag, "answer.txt", "hello there", stdin=b"") as running:
        result = running.end(None, 10)  # at once, though standard input is open

    assert (result.code, result.out, sim.calls) == (2, "", [])
    assert "answer.txt" in result.err
    assert "--output FILE" in result.err


def test_a_template_takes_parameters_and_standard_input(llmctl: Llmctl, sim: Simulator) -> None:
    assert llmctl.run("-t", "summarise", "-p", "points=3", stdin=b"A long report.").code == 0

    text = said(sim)[-1][1]
    assert "at most 3 bullet points" in text
    assert "A long report." in text
    assert said(sim)[0][0] == "developer"


def test_extract_prints_the_first_code_block(llmctl: Llmctl) -> None:
    assert llmctl.run("-x", BLOCK).out == "print(1)\n"

    none = llmctl.run("-x", "no code here")
    assert (none.code, none.out) == (0, TEXT + "\n")
    assert "no fenced code block" in none.err


def test_conversations_go_on(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("-s", "Briefly", "Repeat: one")
    run = llmctl.run("logs", "show", "--json").json["log"]["conversation"]
    llmctl.run("Repeat: other")

    assert llmctl.run("--cid", run, "and two").code == 0
    first = [("developer", "Briefly"), ("user", "Repeat: one"), ("assistant", "one")]
    assert said(sim) == [*first, ("user", "and two")]

    assert llmctl.run("-c", "and three").code == 0
    assert said(sim)[:-1] == [*first, ("user", "and two"), ("assistant", TEXT)]

    assert llmctl.run("--cid", "nothing", "hello there").code == 7


def test_continuing_nothing_is_usage(llmctl: Llmctl) -> None:
    result = llmctl.run("-c", "hello there")

    assert result.code == 2
    assert "ask without -c first" in result.err


def test_a_schema_is_sent_and_the_answer_checked(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("--schema", SCHEMA, "Name a fruit")

    assert (result.code, result.json) == (0, {"name": "pear"})
    sent = sim.calls[-1].json["response_format"]
    assert sent["json_schema"]["schema"] == json.loads(SCHEMA)

    missed = llmctl.run("-m", "openai/mock-fault-no-schema", "--schema", SCHEMA, "Name a fruit")
    assert missed.code == 14
    assert "--repair" in missed.err


def test_repair_asks_once_more(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("--repair", "--schema", SCHEMA, "Name a fruit")
    result = llmctl.run("-m", "openai/mock-fault-no-schema", *flags)

    assert (result.code, result.json, len(sim.calls)) == (0, {"name": "pear"}, 2)
    assert [role for role, _text in said(sim)] == ["user", "assistant", "user"]
    assert said(sim)[1][1] == TEXT


def test_the_users_own_limit_is_a_success_with_a_note(llmctl: Llmctl) -> None:
    result = llmctl.run("--max-tokens", "2", "hello there")

    assert (result.code, result.out) == (0, "Blue light scatters \n")
    assert "your limit of 2 tokens" in result.err

    alone = llmctl.run("-m", "openai/mock-fault-length", "hello there")
    assert alone.code == 12
    assert "--max-tokens" in alone.err


def test_base_models_continue_a_text(llmctl: Llmctl, sim: Simulator) -> None:
    assert llmctl.run("--complete", "The sky is").out == TEXT + "\n"
    assert (sim.calls[-1].path, sim.calls[-1].json["prompt"]) == ("/v1/completions", "The sky is")

    refused = llmctl.run("--complete", "--schema", SCHEMA, "The sky is")
    assert (refused.code, len(sim.calls)) == (2, 1)
    assert "--schema" in refused.err


# --------------------------------------------------------------------------- what is not to be sent


def test_a_dry_run_prints_the_exact_body_and_sends_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("-s", "Briefly", "--seed", "7")
    shown = llmctl.run("--dry-run", *flags, "hello there")
    assert (shown.code, sim.requests) == (0, [])
    assert KEY.encode() not in shown.stdout

    llmctl.run(*flags, "hello there")
    assert shown.json["body"] == sim.calls[-1].json
    assert shown.json["url"] == f"{sim.openai_url}/chat/completions"
    assert shown.json["cost"] is None


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--local-only",), "--local-only"),
        (("--privacy", "no-training"), "--privacy"),
        (("--require", "region=RU"), "--require"),
        (("--require", "max-retention=30,no-training"), "--require"),
        (("--require", "open-weights"), "--require"),
    ],
)
def test_rules_refuse_before_anything_is_sent(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], named: str
) -> None:
    # Nothing is known of the privacy of an API at an address of one's own.
    result = llmctl.run(*flags, "hello there")

    assert (result.code, result.out, sim.requests) == (4, "", [])
    assert f"(flag {named})" in result.err
    assert "llmctl models list local" in result.err


def test_a_local_server_fits_the_rules(llmctl: Llmctl, sim: Simulator) -> None:
    rules = ("--require", "region=RU,max-retention=0,no-training", "--privacy", "device")

    assert llmctl.run("-m", "ollama/mock", *rules, "hello there").out == TEXT + "\n"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--privacy", "very"), "--privacy"),
        (("--require", "colour=red"), "colour=red"),
        (("--log", "some"), "--log"),
        (("--encoding", "klingon"), "klingon"),
        (("--max-tokens", "0"), "--max-tokens"),
        (("--timeout", "soon"), "--timeout"),
        (("--json", "--events"), "--events"),
        (("--bogus",), "--bogus"),
    ],
)
def test_a_wrong_flag_is_usage(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], named: str
) -> None:
    result = llmctl.run(*flags, "hello there")

    assert (result.code, sim.requests) == (2, [])
    assert named in result.err
    assert "hint:" in result.err
    assert len(result.err.splitlines()) <= 4


def test_thinking_and_the_receipt_stay_beside_the_answer(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "openai/mock-thinks", "-u", "hello there")

    assert result.out == TEXT + "\n"
    assert THOUGHT in result.err
    for label in ("model", "tokens", "cost", "time", "privacy", "id"):
        assert re.search(rf"^{label} ", result.err, re.MULTILINE), label


def test_a_conversation_stays_with_its_model(llmctl: Llmctl) -> None:
    """What was said to one provider does not go to the default one because -m was left out."""
    assert llmctl.run("-m", "ollama/mock", "Hello").code == 0
    env = {"LLMCTL_DEFAULTS__MODEL": "openai/mock"}
    told = llmctl.run("-c", "And now?", "--json", env=env).json
    assert told["model"]["requested"] == "ollama/mock"
    told = llmctl.run("-c", "-m", "openai/mock", "And now?", "--json", env=env).json
    assert told["model"]["requested"] == "openai/mock"

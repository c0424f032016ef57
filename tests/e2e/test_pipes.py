"""Readers that go away, streams that are closed, and a ledger that cannot be written: the answer
comes first, and nothing makes a noise."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from llmctl.store.ledger import Ledger
from tests.e2e.harness import COMMAND, Llmctl, Result
from tests.e2e.table import BOTH, OPENAI
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.faults import HALF

pytestmark = [
    pytest.mark.usefixtures("warm"),
    pytest.mark.skipif(os.name != "posix", reason="shells and pipes of POSIX"),
]

FULL = Path("/dev/full")


def shell(llmctl: Llmctl, script: str, *arguments: str, stdin: bytes | None = None) -> Result:
    """Run `script`, in which `llm` is the command with `arguments`."""
    assert COMMAND
    run = subprocess.run(
        ["/bin/sh", "-c", 'llm() { "$0" "$@"; }; ' + script, COMMAND, *arguments],
        cwd=llmctl.home,
        env=llmctl.env,
        stdin=subprocess.DEVNULL if stdin is None else None,
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return Result(run.returncode, run.stdout, run.stderr, 0.0)


# ------------------------------------------------------------------------------ readers that leave


def piped(llmctl: Llmctl, reader: str, *arguments: str, more: str = "", stdin: bytes) -> Result:
    """`llmctl ARGUMENTS | READER`; the code is the command's."""
    script = (
        'exec 5>&1; status=$({ { "$0" "$@" '
        + more
        + "; echo $? >&3; } | "
        + reader
        + " >&5; } 3>&1); "
        "exit $status"
    )
    return shell(llmctl, script, *arguments, stdin=stdin)


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("more", ["", "2>&1"])
def test_head_takes_one_line(llmctl: Llmctl, sim: Simulator, provider: str, more: str) -> None:
    """Far more follows than a pipe holds."""
    lines = "".join(f"line {number} of many, many lines\n" for number in range(20_000))

    result = piped(
        llmctl, "head -n 1", "-m", f"{provider}/mock", more=more, stdin=f"Repeat: {lines}".encode()
    )

    assert result.out == "line 0 of many, many lines\n"
    assert (result.code, result.err) == (141, "")


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("flags", [(), ("--events",)])
def test_the_server_is_left_with_the_reader(
    llmctl: Llmctl, sim: Simulator, provider: str, flags: tuple[str, ...]
) -> None:
    """A model that never stops is paid for only as long as somebody reads."""
    model = f"{provider}/mock-fault-endless"

    result = piped(llmctl, "head -c 9", "-m", model, *flags, stdin=b"Why?")

    assert len(result.stdout) == 9
    assert (result.code, result.err) == (141, "")
    assert sim.calls[0].disconnected.wait(2)


@pytest.mark.parametrize("provider", BOTH)
def test_nobody_reads_the_error(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    """The code still says what happened."""
    model = f"{provider}/mock-fault-parameter"

    result = piped(llmctl, "true", "-m", model, more="2>&1", stdin=b"Why?")

    assert (result.code, result.out, result.err) == (16, "", "")


# ------------------------------------------------------------------------------- closed streams


@pytest.mark.parametrize("provider", BOTH)
def test_standard_output_is_closed(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    result = shell(llmctl, 'llm "$@" >&-', "-m", f"{provider}/mock", "hi")

    assert (result.code, result.out, result.err) == (141, "", "")


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("fault", "code", "out"), [("ok", 0, TEXT), ("cut", 11, HALF), ("500-once", 0, TEXT)]
)
def test_standard_error_is_closed(
    llmctl: Llmctl, sim: Simulator, provider: str, fault: str, code: int, out: str
) -> None:
    """The answer is whole, and no word of ours gets into it."""
    sim.script([fault])

    result = shell(llmctl, 'llm "$@" 2>&-', "-m", f"{provider}/mock", "hi")

    assert (result.code, result.out) == (code, out + "\n")


def test_standard_input_is_closed(llmctl: Llmctl, sim: Simulator) -> None:
    result = shell(llmctl, 'llm "$@" <&-', "-m", "openai/mock", "hi")

    assert (result.code, result.out) == (0, TEXT + "\n")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("flag", ["-q", "--json"])
def test_standard_output_is_full(llmctl: Llmctl, sim: Simulator, provider: str, flag: str) -> None:
    result = shell(llmctl, 'llm "$@" > /dev/full', "-m", f"{provider}/mock", flag, "hi")

    assert result.code == 18
    assert "No space left" in result.err
    assert "Traceback" not in result.err


# ----------------------------------------------------------------------------------- the ledger


def unusable_place(llmctl: Llmctl) -> None:
    """A file stands where the folder should be made."""
    llmctl.data.write_bytes(b"")


def garbage(llmctl: Llmctl) -> None:
    llmctl.data.mkdir(0o700)
    (llmctl.data / "ledger.db").write_bytes(b"SQLite format 3\0" + b"\xa5" * 8192)


def no_database(llmctl: Llmctl) -> None:
    llmctl.data.mkdir(0o700)
    (llmctl.data / "ledger.db").write_bytes(b"my shopping list\n" * 500)


def of_a_newer(llmctl: Llmctl) -> None:
    assert llmctl.run("-m", "openai/mock", "hi").code == 0
    with sqlite3.connect(llmctl.data / "ledger.db") as connection:
        connection.execute("PRAGMA user_version=999")
    connection.close()


def folder_in_its_place(llmctl: Llmctl) -> None:
    (llmctl.data / "ledger.db").mkdir(0o700, parents=True)


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (unusable_place, "ledger"),
        (garbage, "damaged"),
        (no_database, "damaged"),
        (of_a_newer, "newer"),
        (folder_in_its_place, "ledger"),
    ],
)
def test_a_ledger_that_cannot_be_used_costs_one_line(
    llmctl: Llmctl,
    sim: Simulator,
    provider: str,
    spoil: Callable[[Llmctl], None],
    words: str,
) -> None:
    spoil(llmctl)

    result = llmctl.run("-m", f"{provider}/mock", "hi")

    assert (result.code, result.out) == (0, TEXT + "\n")
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("llmctl: ")


def test_a_damaged_ledger_is_kept_aside(llmctl: Llmctl, sim: Simulator) -> None:
    no_database(llmctl)

    llmctl.run("-m", "openai/mock", "hi")
    again = llmctl.run("-m", "openai/mock", "hi")

    assert again.err == ""
    kept = [path for path in llmctl.data.iterdir() if b"shopping" in path.read_bytes()]
    assert len(kept) == 1
    with Ledger(llmctl.data / "ledger.db") as ledger:
        assert len(ledger.list(-1)) == 2


def test_a_failure_keeps_its_code_whatever_the_ledger_does(llmctl: Llmctl, sim: Simulator) -> None:
    unusable_place(llmctl)

    result = llmctl.run("-m", "openai/mock-fault-cut", "hi")

    assert (result.code, result.out) == (11, HALF + "\n")
    assert "end mark" in result.err


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("before", [False, True], ids=["first run", "later run"])
def test_a_full_disk_costs_one_line(
    llmctl: Llmctl, sim: Simulator, provider: str, before: bool
) -> None:
    """A limit on the size of files stops every write, as a full disk does."""
    llmctl.env["LLMCTL_CACHE_DIR"] = str(llmctl.home / "cache")
    if before:
        assert llmctl.run("-m", f"{provider}/mock", "hi").code == 0

    result = shell(llmctl, 'ulimit -f 0; llm "$@"', "-m", f"{provider}/mock", "hi")

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert len(result.err.splitlines()) == 1
    assert "ledger" in result.err


def read_only(folder: Path) -> str:
    """What to put before a command so that `folder` cannot be written; skips where it can be
    written all the same."""
    if os.geteuid():
        folder.chmod(0o500)
        return "exec"
    mount = f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'"
    unshare = shutil.which("unshare")
    probe = ["unshare", "-m", "sh", "-c", mount]
    if unshare is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("nothing is read-only for root here")
    return f'exec unshare -m sh -c "{mount} && exec \\"\\$0\\" \\"\\$@\\""'


@pytest.mark.parametrize("before", [False, True], ids=["first run", "later run"])
def test_a_read_only_home_costs_one_line(llmctl: Llmctl, sim: Simulator, before: bool) -> None:
    """Settings, cache and ledger lie in it."""
    for name in ("CONFIG", "DATA", "CACHE"):
        llmctl.env[f"LLMCTL_{name}_DIR"] = str(llmctl.home / name.lower())
    if before:
        assert llmctl.run("-m", "openai/mock", "hi").code == 0

    result = shell(llmctl, f'{read_only(llmctl.home)} "$0" "$@"', "-m", "openai/mock", "hi")
    llmctl.home.chmod(0o700)

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert len(result.err.splitlines()) == 1
    assert "ledger" in result.err


def test_a_locked_ledger_does_not_hold_the_answer(llmctl: Llmctl, sim: Simulator) -> None:
    """The answer is there at once; the line about the ledger comes when its lock was waited for."""
    assert llmctl.run("-m", "openai/mock", "hi").code == 0
    holder = sqlite3.connect(llmctl.data / "ledger.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    try:
        with llmctl.start("-m", "openai/mock", "hi") as running:
            running.read_until(TEXT.encode() + b"\n", seconds=3)
            result = running.end(timeout=15)
    finally:
        holder.close()

    assert result.code == 0
    assert len(result.err.splitlines()) == 1
    assert "held by another program" in result.err


def test_parallel_runs_are_all_recorded(llmctl: Llmctl, sim: Simulator) -> None:
    runs = [llmctl.start("-m", f"{BOTH[number % 2]}/mock", "hi") for number in range(8)]

    results = [running.end() for running in runs]

    assert [(one.code, one.out, one.err) for one in results] == [(0, TEXT + "\n", "")] * 8
    with Ledger(llmctl.data / "ledger.db") as ledger:
        assert len(ledger.list(-1)) == 8


def test_no_ledger_where_none_is_wanted(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", f"{OPENAI}/mock", "--no-log", "hi")

    assert (result.code, result.err) == (0, "")
    assert not (llmctl.data / "ledger.db").exists()

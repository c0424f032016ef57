"""Processes that die and disks that lose power: after the next start the output and the journal
agree, no row that was taken down is lost by a kill, none stands there twice, and no line is torn.

Deaths are real: a child process leaves in the middle of it by `os._exit`, or is killed.
"""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.results import Written
from llmctl.errors import IoFailed, UsageError
from llmctl.store.journal import End, Journal, State
from tests.unit.batch.joblines import (
    OUT,
    answer,
    begun,
    check,
    entries,
    job,
    unwritten,
    written,
)

if sys.platform == "win32":
    pytest.skip("there is no fork", allow_module_level=True)

ROOT = Path(__file__).parents[3]
ROWS = 16
HEADER = b'"head"\n'


# ---- what a kill leaves behind the journal


@pytest.mark.parametrize("kept", range(len(answer(2)) + 1))
def test_a_last_line_that_is_torn_anywhere(tmp_path: Path, kept: int) -> None:
    """What was written of a row and not taken down: cut off, or taken over when it is whole."""
    begun(tmp_path, 3, written(1))
    with open(tmp_path / OUT, "ab") as file:
        file.write(answer(2)[:kept])
    whole = kept == len(answer(2))
    with job(tmp_path) as (results, journal):
        found = results.resume()

        assert (found.adopted, found.lost, found.cut) == (whole, 0, 0 if whole else kept)
        assert check(tmp_path, journal) == ({1, 2} if whole else {1}, set())
        results.append(written(3))
        assert check(tmp_path, journal)[0] == ({1, 2, 3} if whole else {1, 3})


def test_whole_lines_before_a_torn_one_are_taken_over(tmp_path: Path) -> None:
    begun(tmp_path, 9, written(1), unwritten(4))
    with open(tmp_path / OUT, "ab") as file:
        file.write(answer(5) + answer(3) + answer(4) + answer(2)[:-1])
    with job(tmp_path) as (results, journal):
        found = results.resume()

        assert (found.adopted, found.cut) == (3, len(answer(2)) - 1)
        assert check(tmp_path, journal) == ({1, 5, 3, 4}, set())  # 4 has not failed any more


def test_thousands_are_taken_over(tmp_path: Path) -> None:
    begun(tmp_path, 2500)
    (tmp_path / OUT).write_bytes(b"".join(answer(line) for line in range(2500, 0, -1)))
    with job(tmp_path) as (results, journal):
        assert results.resume().adopted == 2500
        assert check(tmp_path, journal)[0] == set(range(1, 2501))


def test_lines_that_cannot_be_told_are_cut_off(tmp_path: Path) -> None:
    begun(tmp_path, 3, written(1))
    with open(tmp_path / OUT, "ab") as file:
        file.write(answer(2))
    with job(tmp_path, adopt=None) as (results, journal):
        found = results.resume()

        assert (found.adopted, found.cut) == (0, len(answer(2)))
        assert check(tmp_path, journal) == ({1}, set())


def test_a_row_that_the_journal_lost_comes_again(tmp_path: Path) -> None:
    begun(tmp_path, 3, written(1))
    with open(tmp_path / OUT, "ab") as file:
        file.write(answer(2) + answer(4) + answer(3))
    with job(tmp_path) as (results, journal):
        results.resume()
        assert check(tmp_path, journal) == ({1, 2}, set())


@pytest.mark.parametrize("foreign", [b"dear diary\n", answer(1), answer(2)])
def test_behind_rows_of_ours_a_foreign_line_is_left_alone(tmp_path: Path, foreign: bytes) -> None:
    begun(tmp_path, 3, written(1))
    with open(tmp_path / OUT, "ab") as file:
        file.write(answer(2) + foreign)
    before = (tmp_path / OUT).read_bytes()

    with job(tmp_path) as (results, _journal), pytest.raises(UsageError):
        results.resume()

    assert (tmp_path / OUT).read_bytes() == before


# ---- death at every step


class Steps:
    """Counts what a process does to its files, and dies at one of these moments: before a step,
    half-way through a write, or after it."""

    def __init__(self, dies_at: int) -> None:
        self.left = dies_at
        self.write = os.write

    def moment(self) -> None:
        if not self.left:
            os._exit(9)
        self.left -= 1

    def watch(self, place: Any, name: str) -> None:
        real = getattr(place, name)

        def step(*given: Any, **named: Any) -> Any:
            self.moment()
            done = real(*given, **named)
            self.moment()
            return done

        setattr(place, name, step)

    def watch_writes(self) -> None:
        def write(fd: int, data: bytes) -> int:
            self.moment()
            if not self.left:
                self.write(fd, data[: len(data) // 2])
            self.moment()
            done = self.write(fd, data)
            self.moment()
            return done

        os.write = write  # type: ignore[assignment]


def child(work: Callable[[], None]) -> int:
    """The exit code of a process that does this, 70 for one that raised; nothing is tidied up."""
    number = os.fork()
    if not number:
        with suppress(BaseException):
            work()
            os._exit(0)
        os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def lay(folder: Path, name: str, kept: Path) -> Path:
    """A fresh copy of the files of a job."""
    return Path(shutil.copytree(kept, folder / name))


def watch(steps: Steps) -> None:
    steps.watch_writes()
    for name in ("fsync", "ftruncate", "unlink"):
        steps.watch(os, name)
    for name in ("begin", "register", "finish", "forget", "mark", "wait"):
        steps.watch(Journal, name)
    steps.watch(Path, "replace")


def one_run(folder: Path, steps: Steps) -> None:
    """Begin or go on, and end half of the rows that wait; what is promised is written to `said`."""
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    watch(steps)
    with job(folder, header=HEADER) as (results, journal):
        if journal.job is None:
            results.begin({"model": "a/b"})
        else:
            journal.wait()
            results.resume()
        journal.register(entries(ROWS))
        ended = journal.lines(State.DONE, State.FAILED)
        left = [line for line in range(1, ROWS + 1) if line not in ended]
        for place in range(0, (len(left) + 1) // 2, 3):
            good, bad = left[place : place + 2], left[place + 2 : place + 3]
            results.append([*written(*good), *unwritten(*bad)])
            steps.write(said, b"".join(b"%d\n" % line for line in good))
            if place % 2:
                results.sync()


def test_death_at_every_step_of_two_runs_and_of_their_recovery(tmp_path: Path) -> None:
    """Each moment is the last of one process; the next goes on from there, dies as well at a later
    one, and so on, until one comes through."""
    deaths = 0
    for first in range(10_000):
        folder = tmp_path / str(first)
        folder.mkdir()
        codes = [child(partial(one_run, folder, Steps(moment))) for moment in (first, first // 2)]
        assert set(codes) <= {0, 9}
        deaths += codes.count(9)
        said = folder / "said"
        promised = {int(line) for line in said.read_bytes().split()} if said.exists() else set()
        with job(folder, header=HEADER) as (results, journal):
            if journal.job is None:
                assert not promised
                continue
            results.resume()
            done, _failed = check(folder, journal, HEADER)
            assert promised <= done
            journal.wait()
            journal.register(entries(ROWS))
            lines = journal.lines(State.DONE)
            results.append(written(*(n for n in range(1, ROWS + 1) if n not in lines)))
            results.rewrite_errors()
            assert check(folder, journal, HEADER) == (set(range(1, ROWS + 1)), set())
        shutil.rmtree(folder)
        if codes[0] == 0:
            break

    assert deaths > 100


def test_death_at_every_step_of_a_restart_never_gives_old_answers_to_the_new_job(
    tmp_path: Path,
) -> None:
    begun(kept := tmp_path / "kept", 4, written(1, 2), unwritten(3))

    def restart(folder: Path, steps: Steps) -> None:
        watch(steps)
        with job(folder) as (results, journal):
            results.begin({"model": "c/d"}, restart=True)
            journal.register(entries(4))

    seen = set()
    for moment in range(10_000):
        folder = lay(tmp_path, str(moment), kept)
        code = child(partial(restart, folder, Steps(moment)))
        with job(folder) as (results, journal):
            assert journal.job is not None
            model = journal.job["model"]
            try:
                results.resume()
                refused = False
                done, failed = check(folder, journal)
            except UsageError:
                refused = True
                done, failed = {1, 2}, {3}
                results.begin({"model": "c/d"}, restart=True)  # as the hint says
        assert (done, failed) == (({1, 2}, {3}) if model == "a/b" else (set(), set()))
        seen.add((model, refused))
        if code == 0:
            break

    assert seen == {("a/b", False), ("a/b", True), ("c/d", False)}


@pytest.mark.parametrize("safe", [False, True])
def test_a_signal_in_the_middle_of_it_costs_no_row_that_was_taken_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool
) -> None:
    finish = Journal.finish

    def interrupted(self: Journal, ends: Sequence[End]) -> None:
        if safe:
            finish(self, ends)
        raise KeyboardInterrupt

    with job(tmp_path) as (results, journal), monkeypatch.context() as patched:
        results.begin({})
        journal.register(entries(3))
        results.append(written(1))
        patched.setattr(Journal, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            results.append(written(2))

    with job(tmp_path) as (results, journal):
        assert results.resume().adopted == (not safe)
        assert check(tmp_path, journal) == ({1, 2}, set())


# ---- killed at random


# argv: folder, seed. Goes on with the job until it is killed; says when it has begun to.
KILLED = """
import pathlib, random, sys
from llmctl.store.journal import State
from tests.unit.batch.joblines import job, unwritten, written
chance = random.Random(sys.argv[2])
with job(pathlib.Path(sys.argv[1])) as (results, journal):
    journal.wait()
    results.resume()
    ended = journal.lines(State.DONE)
    left = [line for line in range(1, journal.counts().total + 1) if line not in ended]
    print("begun", flush=True)
    while left:
        group = [left.pop(chance.randrange(len(left))) for _turn in range(min(8, len(left)))]
        results.append([*written(*group[1:]), *unwritten(*group[:1])])
        print(*group[1:], flush=True)
        if chance.random() < 0.05:
            results.sync()
"""


def test_killed_thirty_times_no_row_is_lost_doubled_or_torn(tmp_path: Path) -> None:
    begun(tmp_path, 60_000)
    chance = random.Random(11)
    promised: set[int] = set()
    kills = 0
    for turn in range(30):
        one = subprocess.Popen(
            [sys.executable, "-c", KILLED, tmp_path, str(turn)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert one.stdout is not None
        assert one.stdout.readline() == "begun\n"
        try:
            one.wait(chance.uniform(0.0, 0.03))
        except subprocess.TimeoutExpired:
            one.send_signal(signal.SIGKILL)
            kills += 1
        said = one.stdout.read().split("\n")[:-1]
        promised.update(int(line) for group in said for line in group.split())
        one.wait()
        one.stdout.close()
        if turn % 3 == 2:  # at other times the next process is the one to mend it
            with job(tmp_path) as (results, journal):
                results.resume()
                done, _failed = check(tmp_path, journal)
                # At most the rows of the group under way are done without a word.
                assert promised <= done
                assert len(done - promised) <= 7 * 3
                promised = done

    assert kills == 30
    assert len(promised) > 500


# ---- power cuts


def crashed(folder: Path, synced: int, unsynced: int) -> tuple[bytes, list[int]]:
    """A job whose process died with so many rows made durable and so many not: the output, and
    where each of the latter ends."""

    def work() -> None:
        with job(folder) as (results, journal):
            results.begin({"model": "a/b"})
            journal.register(entries(synced + unsynced + 2))
            results.append(written(*range(1, synced + 1)))
            results.sync()
            for line in range(synced + 1, synced + unsynced + 1):
                results.append(written(line))
            os._exit(0)

    assert child(work) == 0
    data = (folder / OUT).read_bytes()
    with Journal(folder / "out.jsonl.journal") as journal:
        return data, [place.end for place in journal.after(journal.synced)]


def test_what_a_power_cut_took_from_the_output_waits_again(tmp_path: Path) -> None:
    (kept := tmp_path / "kept").mkdir()
    data, ends = crashed(kept, 3, 4)
    synced = len(data) - sum(len(answer(line)) for line in range(4, 8))
    for length in range(synced - 1, len(data) + 1):
        folder = lay(tmp_path, str(length), kept)
        os.truncate(folder / OUT, length)
        with job(folder) as (results, journal):
            if length < synced:
                with pytest.raises(UsageError):
                    results.resume()
                continue
            found = results.resume()
            there = sum(end <= length for end in ends)
            assert found.lost == 4 - there
            assert check(folder, journal) == (set(range(1, 4 + there)), set())
            results.append(written(*range(4 + there, 10)))
            assert check(folder, journal)[0] == set(range(1, 10))
        shutil.rmtree(folder)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_zeros_in_the_place_of_a_row_take_it_and_all_behind(tmp_path: Path, place: int) -> None:
    (kept := tmp_path / "kept").mkdir()
    data, ends = crashed(kept, 3, 4)
    length = len(answer(4 + place))
    with open(kept / OUT, "r+b") as file:
        file.seek(ends[place] - length)
        file.write(bytes(length))
    with job(kept) as (results, journal):
        found = results.resume()
        assert (found.lost, found.cut) == (4 - place, len(data) - ends[place] + length)
        assert check(kept, journal) == (set(range(1, 4 + place)), set())


def test_zeros_behind_the_last_row_are_cut_off(tmp_path: Path) -> None:
    begun(tmp_path, 4, written(1))
    for tail in (bytes(5), bytes(4000), answer(2)[:9] + bytes(30) + b"\n"):
        with open(tmp_path / OUT, "ab") as file:
            file.write(tail)
        with job(tmp_path) as (results, journal):
            assert results.resume().cut == len(tail)
            assert check(tmp_path, journal) == ({1}, set())


def test_an_older_journal_takes_over_what_it_does_not_know(tmp_path: Path) -> None:
    """As a power cut leaves it that took the end of the journal, and nothing of the output."""
    path, older = tmp_path / "out.jsonl.journal", tmp_path / "older"
    with job(tmp_path) as (results, journal):
        results.begin({"model": "a/b"})
        journal.register(entries(8))
        results.append([*written(1), *unwritten(2)])
        with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(older)) as copy:
            now.backup(copy)
        journal.wait()
        results.append(written(2, 3))
        results.append([*written(4, 5), *unwritten(6)])
    for name in ("out.jsonl.journal", "out.jsonl.journal-wal", "out.jsonl.journal-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    older.rename(path)

    with job(tmp_path) as (results, journal):
        assert results.resume().adopted == 4
        assert check(tmp_path, journal) == ({1, 2, 3, 4, 5}, set())
        assert journal.state(6) is State.WAITING


# ---- a full disk


@pytest.mark.parametrize("room", [40_000, 123_457, 300_000])
def test_a_full_disk_stops_it_and_nothing_is_torn(tmp_path: Path, room: int) -> None:
    """A limit on file sizes ends a write half-way, as a full disk does."""
    begun(tmp_path, 40)
    long = 9_000  # so that it is the output that meets the limit first, and not the journal

    def adopt(data: bytes) -> int:
        return int(data.split(b" ")[0])

    def row(line: int) -> bytes:
        return b"%d " % line + b"x" * (long + line) + b"\n"

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        code = 0
        with suppress(IoFailed), job(tmp_path, adopt=adopt) as (results, _journal):
            results.resume()
            for line in range(1, 40, 2):
                try:
                    results.append([Written(line, row(line)), Written(line + 1, row(line + 1))])
                except IoFailed as error:
                    code = 10 + (error.reason == "full")
                    break
        os._exit(code)

    assert child(work) == 11
    with job(tmp_path, adopt=adopt) as (results, journal):
        found = results.resume()
        assert (found.lost, found.cut) == (0, 0)
        count = room // (2 * (long + 30)) * 2
        done = journal.lines(State.DONE)
        assert abs(len(done) - count) <= 2
        assert (tmp_path / OUT).read_bytes() == b"".join(row(n) for n in range(1, len(done) + 1))
        results.append([Written(len(done) + 1, row(len(done) + 1))])


# ---- looked at meanwhile


def test_the_status_is_read_while_a_process_writes(tmp_path: Path) -> None:
    begun(tmp_path, 3000)

    def work() -> None:
        with job(tmp_path) as (results, _journal):
            results.resume()
            for line in range(1, 3000, 2):
                results.append([*written(line), *unwritten(line + 1)])

    number = os.fork()
    if not number:
        with suppress(BaseException):
            work()
            os._exit(0)
        os._exit(70)
    seen = []
    with Journal(tmp_path / "out.jsonl.journal", make=False) as status:
        while not (ended := os.waitpid(number, os.WNOHANG))[0]:
            counts = status.counts()
            assert counts.done == counts.failed == (3000 - counts.waiting) // 2
            seen.append(counts.done)
        assert status.counts().done == 1500

    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert seen == sorted(seen)

"""The output of a job and what is refused as one. What ends a process is in test_recovery.py."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmctl.batch.results import Results
from llmctl.errors import IoFailed, LlmctlError, UsageError
from llmctl.store.journal import Counts, Journal, State
from tests.unit.batch.joblines import (
    ERRORS,
    OUT,
    answer,
    begun,
    check,
    entries,
    job,
    line_of,
    refusal,
    unwritten,
    written,
)

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and devices are a POSIX matter")


def test_rows_are_written_as_they_end(tmp_path: Path) -> None:
    with job(tmp_path) as (results, journal):
        results.begin({"model": "a/b"})
        journal.register(entries(5))
        results.append([*written(3), *unwritten(5), *written(1)])

        assert (tmp_path / OUT).read_bytes() == answer(3) + answer(1)
        assert (tmp_path / ERRORS).read_bytes() == refusal(5)
        assert journal.counts() == Counts(5, 2, 1, 2, {"network": 1})
        assert [results.read(line) for line in (1, 2, 3, 5)] == [answer(1), None, answer(3), None]
        results.append(unwritten(2))
        assert (tmp_path / ERRORS).read_bytes() == refusal(5) + refusal(2)

    assert (tmp_path / ERRORS).read_bytes() == refusal(2) + refusal(5)  # in order, at the end


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    begun(tmp_path, 5, written(3), unwritten(2, 1))
    with job(tmp_path) as (results, journal):
        assert journal.job == {"model": "a/b"}
        assert journal.wait() == 2
        found = results.resume()
        assert (found.adopted, found.lost, found.cut) == (0, 0, 0)
        assert not (tmp_path / ERRORS).exists()
        results.append(written(1, 5))
        results.append(unwritten(4))

    with Journal(tmp_path / "out.jsonl.journal", make=False) as journal:
        assert check(tmp_path, journal) == ({1, 3, 5}, {4})
        assert journal.synced == len(answer(1) + answer(3) + answer(5))


@POSIX
def test_the_files_are_the_users_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(0o027)
    try:
        begun(tmp_path, 3, written(1), unwritten(2))
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes[OUT] == modes[ERRORS] == 0o640
    assert modes["out.jsonl.journal"] == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_working_file_leaves_the_output_alone(tmp_path: Path) -> None:
    with job(tmp_path, working=True) as (results, journal):
        results.begin({})
        journal.register(entries(2))
        results.append(written(2))

    assert (tmp_path / "out.jsonl.part").read_bytes() == answer(2)
    assert not (tmp_path / OUT).exists()
    (tmp_path / OUT).write_bytes(b"made of it")
    with job(tmp_path, working=True) as (results, _journal):
        results.resume()
        assert results.read(2) == answer(2)


def test_a_header_comes_first_and_stays(tmp_path: Path) -> None:
    begun(tmp_path, 3, written(2), header=b"id,text\r\n")
    with job(tmp_path, header=b"id,text\r\n", adopt=None) as (results, journal):
        results.resume()
        assert results.read(2) == answer(2)
        results.append(written(1))
        assert check(tmp_path, journal, b"id,text\r\n") == ({1, 2}, set())


# ---- what is refused as an output


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / OUT).mkdir()

    with pytest.raises(UsageError, match="is a directory"), job(tmp_path):
        pass


@POSIX
@pytest.mark.parametrize("kind", ["device", "pipe", "link to a device"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    output = tmp_path / OUT
    match kind:
        case "pipe":
            os.mkfifo(output)
        case "device":
            output = Path("/dev/null")
        case _:
            output.symlink_to("/dev/null")

    with (
        Journal(tmp_path / "journal") as journal,
        pytest.raises(UsageError) as caught,
    ):
        Results.open(output, journal, errors=tmp_path / ERRORS, adopt=None)

    assert "--output -" in str(caught.value.hint)


@POSIX
def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    for name in (OUT, ERRORS):
        (tmp_path / name).symlink_to(tmp_path / "disk" / name)
    begun(tmp_path, 2, written(1), unwritten(2))

    assert (tmp_path / "disk" / OUT).read_bytes() == answer(1)
    assert (tmp_path / "disk" / ERRORS).read_bytes() == refusal(2)
    assert (tmp_path / ERRORS).is_symlink()


def test_one_that_cannot_be_written_is_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> int:
        raise PermissionError(13, "Permission denied")

    with job(tmp_path) as (results, _journal), monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(IoFailed) as caught:
            results.begin({"model": "a/b"})

    assert caught.value.exit_code == 18
    assert str(tmp_path / OUT) in caught.value.message
    with Journal(tmp_path / "out.jsonl.journal") as journal:
        assert journal.job is None


@pytest.mark.parametrize("name", [OUT, ERRORS])
def test_somebody_elses_file_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"dear diary\n")

    with job(tmp_path) as (results, journal), pytest.raises(UsageError) as caught:
        results.begin({"model": "a/b"})

    assert "--restart" in str(caught.value.hint)
    assert (tmp_path / name).read_bytes() == b"dear diary\n"
    with Journal(tmp_path / "out.jsonl.journal") as journal:
        assert journal.job is None


@pytest.mark.parametrize("found", [b"", b"id,te", b"id,text\n"])
def test_a_job_that_got_no_further_than_its_header_begins_again(
    tmp_path: Path, found: bytes
) -> None:
    (tmp_path / OUT).write_bytes(found)
    begun(tmp_path, 1, written(1), header=b"id,text\n")

    assert (tmp_path / OUT).read_bytes() == b"id,text\n" + answer(1)


def test_restart_empties_what_was_there(tmp_path: Path) -> None:
    begun(tmp_path, 3, written(1), unwritten(2))
    with job(tmp_path) as (results, journal):
        results.begin({"model": "c/d"}, restart=True)
        assert journal.job == {"model": "c/d"}
        journal.register(entries(2))
        results.append(written(2))
        assert check(tmp_path, journal) == ({2}, set())


def gone(path: Path) -> None:
    path.unlink()


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"dear diary\n")


def torn_longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"dear diary")


def doubled(path: Path) -> None:
    path.write_bytes(path.read_bytes() + answer(1))


def shifted(path: Path) -> None:
    path.write_bytes(b" " + path.read_bytes())


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"r2", b"R2"))


@pytest.mark.parametrize("change", [gone, shorter, longer, torn_longer, doubled, shifted, edited])
def test_an_output_that_somebody_changed_is_refused_as_it_is(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    begun(tmp_path, 3, written(1), written(2))
    change(tmp_path / OUT)
    after = (tmp_path / OUT).read_bytes() if (tmp_path / OUT).exists() else b""

    with job(tmp_path) as (results, _journal), pytest.raises(UsageError) as caught:
        results.resume()

    assert caught.value.reason == "changed"
    assert ("does not have all" in caught.value.message) == (change in (gone, shorter))
    assert "--restart" in str(caught.value.hint)
    assert (tmp_path / OUT).read_bytes() == after
    with Journal(tmp_path / "out.jsonl.journal") as journal:
        assert journal.counts().done == 2


def test_an_output_that_went_before_it_had_a_row_is_made_again(tmp_path: Path) -> None:
    begun(tmp_path, 3, header=b"id\n")
    (tmp_path / OUT).unlink()
    with job(tmp_path, header=b"id\n") as (results, journal):
        results.resume()
        results.append(written(1))
        assert check(tmp_path, journal, b"id\n") == ({1}, set())


@pytest.mark.parametrize("how", ["written to", "removed"])
def test_an_output_that_changes_under_a_run_stops_it(tmp_path: Path, how: str) -> None:
    with job(tmp_path) as (results, journal):
        results.begin({})
        journal.register(entries(3))
        results.append(written(1))
        if how == "removed":
            (tmp_path / OUT).unlink()
        else:
            with open(tmp_path / OUT, "ab") as file:
                file.write(b"dear diary\n")
        with pytest.raises(IoFailed) as caught:
            results.append(written(2))

        assert caught.value.reason == "changed"
        assert len(journal.lines(State.DONE)) == 1


# ---- one at a time


def test_a_second_process_is_told_and_changes_nothing(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from tests.unit.batch.joblines import job\n"
        "with job(pathlib.Path(sys.argv[1])) as (results, journal):\n"
        "    results.begin({'model': 'mine'}, restart=True)\n"
    )
    with job(tmp_path) as (results, journal):
        results.begin({"model": "a/b"})
        journal.register(entries(2))
        results.append(written(1))
        other = subprocess.run(
            [sys.executable, "-c", program, tmp_path],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert f"IoFailed: another llmctl is working on {tmp_path / OUT}" in other.stderr
        assert journal.job == {"model": "a/b"}
        results.append(written(2))
        assert check(tmp_path, journal) == ({1, 2}, set())

    with job(tmp_path) as (results, _journal):  # it is free again
        results.resume()


def test_the_lock_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with job(tmp_path), pytest.raises(IoFailed) as caught, job(tmp_path):
        pass

    assert (caught.value.exit_code, caught.value.reason) == (18, "locked")


def test_a_journal_that_was_removed_meanwhile_is_not_written(tmp_path: Path) -> None:
    """Whoever held the job before may have taken its journal away when it let go."""
    path = tmp_path / "out.jsonl.journal"
    with Journal(path) as journal:
        path.unlink()
        with pytest.raises(IoFailed) as caught:
            Results.open(tmp_path / OUT, journal, errors=tmp_path / ERRORS, adopt=None)
        assert caught.value.reason == "locked"
    with job(tmp_path) as (results, _journal):  # and the lock is free
        results.begin({})


# ---- the disk


def test_the_disk_is_waited_for_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    marks: list[int] = []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    mark = Journal.mark

    def marked(self: Journal, size: int) -> None:
        marks.append(size)
        mark(self, size)

    monkeypatch.setattr(Journal, "mark", marked)
    with job(tmp_path) as (results, journal):
        results.begin({})
        journal.register(entries(9))
        sizes = []
        for line, seconds in enumerate((0.0, 0.9, 0.2, 0.9, 0.2), 1):
            now[0] += seconds
            results.append(written(line))
            sizes.append((tmp_path / OUT).stat().st_size)
        assert marks == [sizes[2], sizes[4]]
        results.sync()  # nothing since
        assert len(marks) == 2

    assert len(marks) == 2


def test_a_line_that_fits_in_part_is_cut_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a disk fills up: a part of it is written, and the next write refused."""
    real = os.write
    room = [len(answer(1)) + 20]

    def write(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        done = real(fd, data[: room[0]])
        room[0] -= done
        return done

    with job(tmp_path) as (results, journal):
        results.begin({})
        journal.register(entries(4))
        monkeypatch.setattr(os, "write", write)
        results.append(written(1))
        with pytest.raises(IoFailed) as caught:
            results.append(written(2, 3))
        assert caught.value.reason == "full"
        assert check(tmp_path, journal) == ({1}, set())
        room[0] = 1 << 20  # somebody has tidied up
        results.append(written(3))
        assert check(tmp_path, journal) == ({1, 3}, set())


def test_rows_the_journal_cannot_take_down_are_not_in_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise IoFailed("no space is left", reason="full")

    with job(tmp_path) as (results, journal):
        results.begin({})
        journal.register(entries(3))
        results.append(written(1))
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "finish", refuse)
            with pytest.raises(LlmctlError):
                results.append([*written(2), *unwritten(3)])
        assert (tmp_path / OUT).read_bytes() == answer(1)
        results.append(written(2))

    with Journal(tmp_path / "out.jsonl.journal") as journal:
        assert check(tmp_path, journal) == ({1, 2}, set())  # the line of row 3 is gone as well


def test_lines_are_those_of_the_job(tmp_path: Path) -> None:
    assert line_of(answer(7)) == 7
    assert line_of(b'{"row": {"line": 7}}\n') is None
    assert line_of(b"[]\n") is None

from contextlib import closing
from pathlib import Path

import pytest

from llmctl.errors import ConfigError, IoFailed
from llmctl.store import database
from llmctl.store.state import STATE, open_state


def test_it_waits_for_the_disk(tmp_path: Path) -> None:
    with closing(open_state(tmp_path / "state.db")) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA application_id").fetchone() == (STATE.application_id,)


def test_it_opens_again(tmp_path: Path) -> None:
    open_state(tmp_path / "state.db").close()
    open_state(tmp_path / "state.db").close()


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(open_state(path)) as connection:
        connection.execute(f"PRAGMA user_version={STATE.version + 1}")

    with pytest.raises(ConfigError):
        open_state(path)


def test_one_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(IoFailed):
        open_state(tmp_path / "file" / "state.db")


def test_one_that_is_held_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    with closing(open_state(path)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        connect = database.connect
        monkeypatch.setattr(database, "connect", lambda *given: connect(*given, timeout=0.05))
        with pytest.raises(IoFailed) as caught:
            open_state(path)

    assert caught.value.reason == "locked"

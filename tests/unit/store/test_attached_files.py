"""Files of a conversation: small ones are kept, large ones are read again where they lie."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl.errors import NotFound, UsageError
from llmctl.store.ledger import Ledger
from llmctl.store.shape import Mode
from llmctl.types import Media, Message, Role, Text
from tests.unit.store.shared import assistant, chat, every_byte, receipt

DATA = b"\x89PNG SMALL"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data" / "ledger.db") as opened:
        yield opened


def large(path: Path) -> Media:
    path.write_bytes(b"x" * 10)
    found = path.stat()
    return Media("video/mp4", name=path.name, path=str(path), size=10, modified=found.st_mtime_ns)


def asked(*files: Media) -> Message:
    return Message(Role.USER, (*files, Text("What is it?")))


def test_both_come_back_in_their_order(ledger: Ledger, tmp_path: Path) -> None:
    turn = asked(large(tmp_path / "a.mp4"), Media("image/png", data=DATA, name="b.png"))
    ledger.record(receipt(text="A cat"), chat(turn), conversation="c")

    assert ledger.messages("c") == (turn, assistant("A cat"))


@pytest.mark.parametrize("change", ["gone", "longer", "written", "folder"])
def test_a_large_one_that_has_changed_is_an_error(
    ledger: Ledger, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "a.mp4"
    ledger.record(receipt(text="A cat"), chat(asked(large(path))), conversation="c")
    match change:
        case "longer":
            path.write_bytes(b"x" * 11)
        case "written":
            path.write_bytes(b"y" * 10)
            os.utime(path, ns=(0, 12_345))
        case _:
            path.unlink()
    if change == "folder":
        path.mkdir()

    with pytest.raises(UsageError) as caught:
        ledger.messages("c")

    said = "cannot be read" if change == "gone" else "has changed"
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert "-a" in str(caught.value.hint)
    assert ledger.get("run-1").receipt.text == "A cat"  # it can be looked at all the same


def test_a_large_one_without_a_place_is_not_kept_whole(ledger: Ledger, tmp_path: Path) -> None:
    held = Media("image/png", data=b"PIPED" * 2**18, name="input.png")
    small = Media("image/png", data=b"x" * 2**20, name="b.png")
    ledger.record(receipt("a", text="A cat"), chat(asked(held, small)), conversation="c")

    digest = hashlib.sha256(b"PIPED" * 2**18).hexdigest()
    gone = Media("image/png", name="input.png", size=5 * 2**18, sha256=digest)
    assert ledger.get("a").messages == (asked(gone, small),)
    assert b"PIPEDPIPED" not in every_byte(tmp_path / "data")
    with pytest.raises(UsageError) as caught:
        ledger.messages("c")
    assert "input.png" in caught.value.message
    assert "-a" in str(caught.value.hint)


def test_neither_is_kept_without_texts(ledger: Ledger, tmp_path: Path) -> None:
    turn = asked(large(tmp_path / "PATHTEXT.mp4"), Media("image/png", data=DATA, name="NAMETEXT"))
    ledger.record(receipt(text="A cat"), chat(turn), mode=Mode.META, conversation="c")

    with pytest.raises(NotFound):
        ledger.messages("c")
    kept = every_byte(tmp_path / "data")
    assert not [one for one in (DATA, b"PATHTEXT", b"NAMETEXT") if one in kept]

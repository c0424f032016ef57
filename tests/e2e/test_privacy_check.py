"""`llmctl privacy check`: exit codes, places, masks, and what it does not read."""

import json
from pathlib import Path

import pytest

from tests.e2e.harness import Llmctl

PASSWORD = "Qw3rty" + "!Zxcv98"
KEY = "gh" + "p_" + "VKtsoSQ63hVZL8ibTpNrnBZOC51fEOGDVBZd"

pytestmark = pytest.mark.usefixtures("warm")


def test_nothing_found(llmctl: Llmctl) -> None:
    done = llmctl.run("privacy", "check", stdin=b"The sky is blue.\n")

    assert done.code == 0
    assert "nothing was found in standard input" in done.out
    assert "pictures, scans" in done.out


def test_findings_have_a_place_and_are_masked(llmctl: Llmctl, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text(
        f"Hello,\nwrite to ivan@example.com.\nпароль: {PASSWORD}\ntoken {KEY}\n", "utf-8"
    )

    done = llmctl.run("privacy", "check", str(file))

    assert done.code == 17
    lines = done.out.splitlines()
    assert lines[0].startswith("2:10  email")
    assert lines[1].startswith("3:9  secret (assignment)")
    assert "only a warning" in lines[1]
    assert lines[2].startswith("4:7  secret (github-token)")
    for secret in ("ivan@example.com", PASSWORD, KEY):
        assert secret not in done.out + done.err
    assert "email 1, secret 2" in done.err


def test_as_json(llmctl: Llmctl) -> None:
    done = llmctl.run("privacy", "check", "-", "--json", stdin=b"at a@b.ru")

    assert done.code == 17
    assert json.loads(done.out) == {
        "version": 1,
        "findings": [{"type": "email", "start": 3, "end": 9, "name": None, "severe": True}],
    }

    done = llmctl.run("privacy", "check", "--json", stdin=b"nothing")

    assert done.code == 0
    assert json.loads(done.out) == {"version": 1, "findings": []}


def test_only_some_types(llmctl: Llmctl) -> None:
    text = f"a@b.ru +79261234567 token {KEY}"

    done = llmctl.run("privacy", "check", "--json", "--types", "phone,secret", stdin=text.encode())

    assert [one["type"] for one in json.loads(done.out)["findings"]] == ["phone", "secret"]
    done = llmctl.run("privacy", "check", "--types", "phone,shoe", stdin=text.encode())
    assert done.code == 2
    assert "shoe" in done.err
    assert "passport_ru" in done.err


def test_what_is_no_text_is_refused(llmctl: Llmctl, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")

    done = llmctl.run("privacy", "check", str(picture))
    assert done.code == 2
    assert "is not text" in done.err

    done = llmctl.run("privacy", "check", str(tmp_path / "missing.txt"))
    assert done.code == 2
    assert "missing.txt" in done.err


def test_a_large_file(llmctl: Llmctl, tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    file.write_text("Some words about nothing in particular.\n" * 50_000 + "a@b.ru\n", "utf-8")

    done = llmctl.run("privacy", "check", str(file))

    assert done.code == 17
    assert done.out.startswith("50001:1  email")


@pytest.mark.parametrize("piped", [True, False])
def test_a_text_in_another_encoding(llmctl: Llmctl, tmp_path: Path, piped: bool) -> None:
    """The hint of the refusal leads on."""
    data = "Пишите: anna@example.ru".encode("cp1251")
    (tmp_path / "old.txt").write_bytes(data)
    file = "-" if piped else str(tmp_path / "old.txt")

    refused = llmctl.run("privacy", "check", file, stdin=data)
    assert refused.code == 2
    assert "add --encoding cp1251" in refused.err

    done = llmctl.run("privacy", "check", file, "--encoding", "cp1251", "--json", stdin=data)
    assert [one["start"] for one in json.loads(done.out)["findings"]] == [8]

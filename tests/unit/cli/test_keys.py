"""`llmctl keys`: a key is typed unseen or piped in, never given as an argument, never shown."""

import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from llmctl import keys, settings
from llmctl.cli.keys import Storage, list_, rm, set_
from llmctl.errors import AuthFailed, NotFound, UsageError

KEY = "sk-" + "r" * 24


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setattr(settings, "SYSTEM_POLICY", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def piped(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


class Typing(io.StringIO):
    """Standard input on a terminal."""

    def isatty(self) -> bool:
        return True


def kept() -> str | None:
    found = json.loads(keys.key_file().read_text()) if keys.key_file().exists() else {}
    return found.get("openai")


@pytest.mark.parametrize("data", [f"{KEY}\n", f"{KEY}\r\n", f" {KEY}", f"{KEY}\nlogin: me\n"])
def test_the_first_line_of_a_pipe_is_the_key(
    data: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    piped(data.encode(), monkeypatch)

    set_("openai", storage=Storage.FILE)

    assert kept() == KEY
    shown = capfd.readouterr()
    assert KEY not in shown.out + shown.err
    assert str(keys.key_file()) in shown.err


def test_on_a_terminal_it_is_typed_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Typing("seen"))
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: KEY)

    set_("openai", storage=Storage.FILE)

    assert kept() == KEY


def test_leaving_the_question_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def left(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Typing())
    monkeypatch.setattr(getpass, "getpass", left)

    with pytest.raises(UsageError, match="no key"):
        set_("openai", storage=Storage.FILE)
    assert kept() is None


@pytest.mark.parametrize("data", [b"", b"\n", b"  \n" + KEY.encode()])
def test_no_key_is_usage(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(data, monkeypatch)

    with pytest.raises(UsageError):
        set_("openai", storage=Storage.FILE)


@pytest.mark.parametrize("data", [b"sk-\xff\xfe\n", "sk-ключ\n".encode(), b"\xef\xbb\xbfsk-a\n"])
def test_what_is_no_key_is_refused_and_not_shown(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(data, monkeypatch)

    with pytest.raises(AuthFailed) as caught:
        set_("openai", storage=Storage.FILE)
    assert "sk-" not in caught.value.message
    assert kept() is None


def test_a_key_as_an_argument_is_refused_without_being_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        set_("openai", [KEY], storage=Storage.FILE)
    assert KEY not in f"{caught.value.message}{caught.value.hint}"
    assert kept() is None


def test_a_provider_without_keys_or_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="Ollama needs no key"):
        set_("ollama")
    with pytest.raises(NotFound):
        set_("nobody")


def test_the_list_says_where_and_never_what(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("LLMCTL_PROVIDERS__VLLM__KEY_COMMAND", '["no-such-program-here"]')

    list_(json=True)

    shown = capfd.readouterr().out
    rows = {row["provider"]: row for row in json.loads(shown)["keys"]}
    assert rows["openai"]["source"] == "OPENAI_API_KEY"
    assert rows["vllm"]["source"] == "key_command"
    assert rows["lmstudio"]["source"] is None
    assert "ollama" not in rows
    assert KEY not in shown


def test_forgetting_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(f"{KEY}\n".encode(), monkeypatch)
    set_("openai", storage=Storage.FILE)

    rm("openai")

    assert kept() is None
    with pytest.raises(NotFound):
        rm("openai")

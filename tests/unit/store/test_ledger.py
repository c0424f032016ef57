import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmctl.errors import ConfigError, IoFailed, NotFound, UsageError
from llmctl.store import database
from llmctl.store.entries import Wanted
from llmctl.store.ledger import Ledger
from llmctl.store.shape import MODE_BY
from llmctl.types import (
    Chat,
    Complete,
    Embed,
    Media,
    Message,
    Receipt,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from llmctl.values import replace
from tests.unit.store.shared import (
    ANSWER,
    QUESTION,
    assistant,
    chat,
    every_byte,
    failed,
    receipt,
    rich_receipt,
    system,
    user,
)

NOVEMBER_24 = 1_795_514_400.0  # 2026-11-24T10:00:00Z
DAY = 86_400


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data" / "ledger.db", now=lambda: NOVEMBER_24) as opened:
        yield opened


def ids(ledger: Ledger, **wanted: object) -> list[str]:
    return [entry.receipt.id for entry in ledger.list(-1, Wanted(**wanted))]  # type: ignore[arg-type]


# ------------------------------------------------------------------------------- what comes back


def test_a_receipt_comes_back_as_it_went_in(ledger: Ledger) -> None:
    assert ledger.record(rich_receipt(), chat()) is None

    assert ledger.get("019abc").receipt == rich_receipt()


def test_a_call_comes_back_as_it_went_in(ledger: Ledger) -> None:
    parts = (
        Text("look: "),
        Media("image/png", data=b"\x89PNG\x00\xff", name="sky.png"),
        Media("image/jpeg", url="https://example.org/a.jpg"),
    )
    called = Message(Role.ASSISTANT, (ToolCall("c1", "look", '{"at":"sky"}'),))
    result = Message(Role.TOOL, (ToolResult("c1", "look", "blue"),))
    call = Chat(
        "m",
        (system("Answer briefly"), Message(Role.USER, parts), called, result),
        max_tokens=5,
        stop=("end",),
        schema={"type": "object"},
        options={"top_k": 3},
    )

    ledger.record(receipt("a"), call, tags={"template": "look"})

    kept = ledger.get("a")
    assert kept.messages == call.messages
    assert kept.asked == {
        "max_tokens": 5,
        "temperature": None,
        "seed": None,
        "stop": ["end"],
        "schema": {"type": "object"},
        "tools": [],
        "stream": True,
        "options": {"top_k": 3},
    }
    assert (kept.kind, kept.mode, kept.tags) == ("chat", "full", {"template": "look"})


def test_other_calls_are_kept_as_what_a_user_said(ledger: Ledger) -> None:
    ledger.record(receipt("a"), Complete("m", "Once upon"))
    ledger.record(receipt("b"), Embed("m", ("one", "two")))

    assert ledger.get("a").messages == (user("Once upon"),)
    assert ledger.get("b").messages == (user("one"), user("two"))


def test_pictures_in_an_answer_are_kept(ledger: Ledger) -> None:
    drawn = Media("image/png", data=bytes(range(256)))
    ledger.record(receipt("a", text="", media=(drawn,)), chat())

    assert ledger.get("a").receipt.media == (drawn,)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Почему небо голубое? 天 🙂 ‏", None),
        ("nul \x00 inside", None),
        ("line separator \u2028 and \x1b[31m", None),
        ("", None),
        ("half a pair \ud83d", "half a pair \ufffd"),
    ],
)
def test_any_text_can_be_kept(ledger: Ledger, text: str, kept: str | None) -> None:
    assert ledger.record(receipt("a", text=text), chat(user(text))) is None

    back = ledger.get("a")
    assert back.receipt.text == (text if kept is None else kept)
    assert back.messages[0].text == (text if kept is None else kept)


def test_a_prompt_of_50_megabytes_is_kept(ledger: Ledger) -> None:
    prompt = "x" * 50_000_000

    assert ledger.record(receipt("a"), chat(user(prompt))) is None
    assert ledger.get("a").messages[0].text == prompt


# ------------------------------------------------------------------------------------------ lists


def test_a_list_is_newest_first_and_short(ledger: Ledger) -> None:
    long = "y" * 1000
    for number in range(3):
        ledger.record(receipt(f"r{number}", text=long), chat(system("s"), user(long)))

    newest = ledger.list(2)
    assert [entry.receipt.id for entry in newest] == ["r2", "r1"]
    assert newest[0].prompt == newest[0].receipt.text == "y" * 200


def test_a_list_can_be_narrowed(ledger: Ledger) -> None:
    ledger.record(receipt("a", requested="openai/GPT-6-luna", resolved="gpt-6"), chat())
    ledger.record(receipt("b", requested="fast", provider="groq", resolved="llama-4"), chat())
    ledger.record(failed("c"), chat(), conversation="talk")
    ledger.record(receipt("d", started_at="2026-11-25T00:00:00Z"), chat())

    assert ids(ledger, model="gpt-6") == ["a"]
    assert ids(ledger, model="LLAMA") == ["b"]
    assert ids(ledger, provider="groq") == ["b"]
    assert ids(ledger, failed_only=True) == ["c"]
    assert ids(ledger, conversation="talk") == ["c"]
    assert ids(ledger, since="2026-11-25") == ["d"]
    assert ids(ledger, provider="groq", failed_only=True) == []


def test_a_run_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    for id_ in ("ab", "abc", "b%d"):
        ledger.record(receipt(id_), chat())

    assert ledger.get("abc").receipt.id == "abc"
    assert ledger.get("ab").receipt.id == "ab"
    assert ledger.get("b").receipt.id == "b%d"
    with pytest.raises(UsageError) as several:
        ledger.get("a")
    assert "abc, ab" in several.value.message
    for name in ("x", "%", ""):
        with pytest.raises(NotFound):
            ledger.get(name)


def test_the_last_run(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat())
    ledger.record(receipt("b"), chat())

    assert ledger.last().receipt.id == "b"


def test_reading_before_anything_was_written_makes_no_file(ledger: Ledger) -> None:
    assert not ledger.list()
    assert not ledger.search("sky")
    assert ledger.last_conversation() is None
    assert ledger.explain().runs == 0
    with pytest.raises(NotFound):
        ledger.last()
    assert not ledger.path.parent.exists()


def test_whole_runs_come_one_by_one(ledger: Ledger) -> None:
    for id_ in "abc":
        ledger.record(receipt(id_), chat(user(f"question {id_}")))

    assert [entry.messages[0].text for entry in ledger.each()] == [
        "question c",
        "question b",
        "question a",
    ]


# ---------------------------------------------------------------------------------- conversations


def test_a_conversation_goes_on_from_what_was_said(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="one"), chat(system("brief"), user("q1")), conversation="a")
    before = ledger.messages("a")
    assert before == (system("brief"), user("q1"), assistant("one"))

    ledger.record(receipt("b", text="two"), chat(*before, user("q2")), conversation="a")

    assert ledger.last_conversation() == "a"
    assert ledger.messages("a") == (*before, user("q2"), assistant("two"))
    assert ledger.get("b").messages == (*before, user("q2"))


def test_each_turn_stands_in_the_file_once(ledger: Ledger) -> None:
    said: tuple[Message, ...] = ()
    for number in range(5):
        call = chat(*said, user(f"question {number}"))
        ledger.record(receipt(f"r{number}", text=f"answer {number}"), call, conversation="r0")
        said = ledger.messages("r0")
    ledger.close()

    assert len(said) == 10
    assert every_byte(ledger.path).count(b"question 0") == 1


def test_turns_without_an_answer_are_left_out(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="one"), chat(user("q1")), conversation="a")
    before = ledger.messages("a")
    ledger.record(failed("b"), chat(*before, user("lost")), conversation="a")

    assert ledger.messages("a") == before
    ledger.record(receipt("c", text="two"), chat(*before, user("q2")), conversation="a")
    assert ledger.messages("a") == (*before, user("q2"), assistant("two"))


def test_an_answer_in_part_is_gone_on_from(ledger: Ledger) -> None:
    ledger.record(failed("a", text="half an ans"), chat(user("q1")), conversation="a")

    assert ledger.last_conversation() == "a"
    assert ledger.messages("a") == (user("q1"), assistant("half an ans"))


def test_messages_that_do_not_follow_begin_the_conversation_anew(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="one"), chat(user("q1")), conversation="a")
    ledger.record(receipt("b", text="other"), chat(user("edited")), conversation="a")

    assert ledger.messages("a") == (user("edited"), assistant("other"))
    assert ledger.get("a").messages == (user("q1"),)


def test_two_who_go_on_at_once_do_not_mix(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="one"), chat(user("q1")), conversation="a")
    before = ledger.messages("a")
    ledger.record(receipt("b", text="B"), chat(*before, user("from b")), conversation="a")
    ledger.record(receipt("c", text="C"), chat(*before, user("from c")), conversation="a")

    assert ledger.messages("a") == (*before, user("from c"), assistant("C"))
    assert ledger.get("b").messages == (*before, user("from b"))


def test_the_latest_instructions_hold(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="1"), chat(system("old"), user("q1")), conversation="a")
    call = chat(system("new"), user("q1"), assistant("1"), user("q2"))
    ledger.record(receipt("b", text="2"), call, conversation="a")

    assert ledger.messages("a")[0] == system("new")
    assert len(ledger.messages("a")) == 5


def test_the_last_conversation_is_one_that_was_answered(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat(), conversation="a")
    ledger.record(receipt("b"), chat())
    ledger.record(receipt("c"), Complete("m", "Once"), conversation="c")
    ledger.record(failed("d"), chat(), conversation="d")

    assert ledger.last_conversation() == "a"


def test_a_conversation_without_text_cannot_go_on(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat(), conversation="a")
    ledger.record(receipt("b"), chat(), conversation="b", mode="meta", tags={MODE_BY: "policy"})

    assert ledger.last_conversation() == "b"
    with pytest.raises(NotFound, match="a policy with log_bodies"):
        ledger.messages("b")
    with pytest.raises(NotFound, match="no conversation x"):
        ledger.messages("x")


# ------------------------------------------------------------------------------------------ modes


SECRETS = ("SYSTEMTEXT", "PROMPTTEXT", "ANSWERTEXT", "REASONTEXT", "TOOLTEXT", "DETAILTEXT")


def secret_run(id_: str = "a") -> tuple[Receipt, Chat]:
    error = failed("x", "the provider quotes PROMPTTEXT").error
    run = receipt(
        id_,
        text="ANSWERTEXT",
        reasoning="REASONTEXT",
        tool_calls=(ToolCall("c", "f", "TOOLTEXT"),),
        media=(Media("image/png", data=b"ANSWERTEXT"),),
        details={"DETAILTEXT": "DETAILTEXT"},
        error=error,
    )
    media = Media("text/plain", data=b"PROMPTTEXT", name="PROMPTTEXT.txt")
    call = Chat(
        "m",
        (system("SYSTEMTEXT"), Message(Role.USER, (Text("PROMPTTEXT"), media))),
        stop=("PROMPTTEXT",),
        schema={"title": "PROMPTTEXT"},
        options={"user": "PROMPTTEXT"},
    )
    return run, call


def test_in_meta_mode_no_text_reaches_the_disk(ledger: Ledger) -> None:
    run, call = secret_run()
    run = replace(run, usage=rich_receipt().usage, cost=rich_receipt().cost, request_id="req-7")
    assert run.error is not None
    run = replace(run, error=replace(run.error, hint=SECRETS[0]))

    assert ledger.record(run, call, mode="meta", conversation="a") is None

    with_journal = every_byte(ledger.path)
    kept = ledger.get("a")
    ledger.close()
    for found in (with_journal, every_byte(ledger.path)):
        assert b"req-7" in found
        assert [word for word in SECRETS if word.encode() in found] == []
    assert (kept.receipt.usage, kept.receipt.cost) == (run.usage, run.cost)
    assert kept.receipt.error == replace(run.error, message="", hint=None) if run.error else None
    assert (kept.receipt.text, kept.messages, kept.prompt) == ("", (), None)


def test_in_full_mode_the_same_texts_do(ledger: Ledger) -> None:
    """The counterpart: a search for bytes that could find nothing would prove nothing."""
    ledger.record(*secret_run())

    found = every_byte(ledger.path)
    assert [word for word in SECRETS if word.encode() not in found] == []


def test_mode_off_makes_no_file(ledger: Ledger) -> None:
    assert ledger.record(receipt(), chat(), mode="off") is None
    assert not ledger.path.parent.exists()


# ---------------------------------------------------------------------------------------- trouble


def test_a_place_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Ledger(tmp_path / "file" / "ledger.db") as ledger:
        warning = ledger.record(receipt("a"), chat())
        assert warning is not None
        assert str(tmp_path / "file") in warning
        assert "\n" not in warning
        assert ledger.record(receipt("b"), chat()) is None


def test_a_newer_ledger_costs_one_warning_and_is_left_as_it_is(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat())
    ledger.close()
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("PRAGMA user_version=99")
    before = ledger.path.read_bytes()

    assert "newer" in str(ledger.record(receipt("b"), chat()))
    assert ledger.path.read_bytes() == before
    with pytest.raises(ConfigError):
        ledger.list()


def test_a_ledger_that_is_held_costs_one_wait(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path, retention_days=None, timeout=0.05) as ledger:
        ledger.record(receipt("a"), chat())
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            warning = ledger.record(receipt("b"), chat())
            assert warning is not None
            assert "held by another program" in warning
        assert ledger.record(receipt("c"), chat()) is None  # given up: no second wait

        assert ids(ledger) == ["a"]


def test_a_run_that_cannot_be_kept_does_not_stop_the_next(ledger: Ledger) -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop

    assert "ValueError" in str(ledger.record(receipt("a", details=loop), chat()))
    assert ledger.record(receipt("a2", details=loop), chat()) is None
    assert ledger.record(receipt("b"), chat()) is None
    assert ids(ledger) == ["b"]


def test_the_same_id_twice_keeps_the_first(ledger: Ledger) -> None:
    ledger.record(receipt("a", text="first"), chat())

    assert ledger.record(receipt("a", text="second"), chat()) is not None
    assert ledger.record(receipt("b"), chat()) is None
    assert ledger.get("a").receipt.text == "first"
    assert ids(ledger) == ["b", "a"]


def damage(path: Path) -> bytes:
    """Overwrite the file with something that is no database."""
    content = b"no database " * 1000
    path.write_bytes(content)
    return content


def test_a_damaged_ledger_is_moved_aside_and_a_new_one_begun(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat())
    ledger.close()
    content = damage(ledger.path)
    aside = ledger.path.with_name("ledger.db.corrupt-20261124T100000Z")

    warning = ledger.record(receipt("b"), chat())

    assert str(aside) in str(warning)
    assert aside.read_bytes() == content
    assert ids(ledger) == ["b"]
    assert ledger.explain().set_aside == (aside,)


def test_a_second_damaged_ledger_does_not_replace_the_first(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.record(receipt("a"), chat())
        ledger.close()
        damage(ledger.path)
    ledger.record(receipt("b"), chat())

    assert len(ledger.explain().set_aside) == 2


def test_pages_that_are_damaged_are_noticed(ledger: Ledger) -> None:
    for number in range(50):
        ledger.record(receipt(f"r{number}", text="z" * 500), chat())
    ledger.close()
    whole = bytearray(ledger.path.read_bytes())
    whole[4096:] = b"\xa5" * (len(whole) - 4096)
    ledger.path.write_bytes(whole)

    assert "damaged" in str(ledger.record(receipt("new"), chat()))
    assert ids(ledger) == ["new"]


def test_reading_a_damaged_ledger_moves_nothing(ledger: Ledger) -> None:
    ledger.record(receipt("a"), chat())
    ledger.close()
    content = damage(ledger.path)

    with pytest.raises(IoFailed) as caught:
        ledger.list()

    assert caught.value.reason == "damaged"
    assert ledger.path.read_bytes() == content


def test_whoever_comes_second_to_a_damaged_ledger_moves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has begun a new ledger between our trouble and our lock."""
    ledger.record(receipt("a"), chat())
    ledger.close()
    connect = database.connect
    troubles = [IoFailed("damaged", reason="damaged")]

    def once(*given: object, **named: object) -> sqlite3.Connection:
        if troubles:
            raise troubles.pop()
        return connect(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "connect", once)

    assert "another llmctl" in str(ledger.record(receipt("b"), chat()))
    assert ids(ledger) == ["b", "a"]
    assert ledger.explain().set_aside == ()


def test_the_start_of_an_answer_is_not_an_answer(ledger: Ledger) -> None:
    ledger.record(receipt("a", text=ANSWER), chat())

    [entry] = ledger.list()
    assert (entry.prompt, entry.receipt.text, entry.messages) == (QUESTION, ANSWER, ())

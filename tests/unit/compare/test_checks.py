"""Checks of answers: what they find, what they refuse to be, and that no answer hangs them."""

import asyncio
import gc
import os
import select
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from llmctl.catalogue import shipped_ids, shipped_table
from llmctl.compare import findings, outside
from llmctl.compare.checks import expected_check, marked, read_checks, read_share
from llmctl.compare.numerals import last_numeral, numerals
from llmctl.compare.outside import without_keys
from llmctl.compare.shape import Case, Mark
from llmctl.errors import UsageError

CASE = Case(id="7", text="2 + 2?", expected="4", columns={"expected": "4", "city": "Канберра"})


def mark(check: str, answer: str, case: Case = CASE) -> Mark:
    (one,) = read_checks([check])
    return asyncio.run(one.mark(answer, case))


def passes(check: str, answer: str, case: Case = CASE) -> bool:
    return mark(check, answer, case).passed


TABLE = [
    ("contains=Канберра", "Это Канберра.", True),
    ("contains=канберра", "Это Канберра.", False),
    ("icontains=КАНБЕРРА", "Это Канберра.", True),
    ("icontains=strasse", "Die Straße", True),
    ("not-contains=Сидней", "Это Канберра.", True),
    ("not-contains=Канберра", "Это Канберра.", False),
    ("contains=@city", "Это Канберра.", True),
    ("contains=@expected", "It is 5.", False),
    ("contains=@@expected", "write to @expected", True),
    ("contains=a=b", "so a=b", True),
    ("equals=Yes", "  Yes\n", True),
    ("equals=Yes", "yes", False),
    ("equals=Yes", "Yes.", False),
    ("equals=@city", "Канберра", True),
    ("not-equals=No", "Yes", True),
    (r"regex=^\d{4}$", "1913", True),
    (r"regex=^\d{4}$", "In 1913", False),
    ("regex=(?i)канберра", "КАНБЕРРА", True),
    (r"not-regex=\bas an AI\b", "Canberra", True),
    ('schema={"type": "object", "required": ["a"]}', '{"a": 1}', True),
    ('schema={"type": "object", "required": ["a"]}', '{"b": 1}', False),
    ('schema={"type": "object"}', '```json\n{"a": 1}\n```\n', True),
    ('schema={"type": "object"}', 'Here it is: {"a": 1}', False),
    ("number=42", "It is 41, no: 42.", True),
    ("number=42", "42 or 43", False),
    ("number=42", "none", False),
    ("number=3.14±0.01", "около 3,15", True),
    ("number=3.14±0.01", "3.1501", False),
    ("number=100±5%", "95", True),
    ("number=100±5%", "94.9", False),
    ("number=-10+-20%", "−12", True),
    ("number=1 234,5", "1 234.5", True),
    ("number=@expected", "= 4", True),
    ("number=@expected±1", "= 5", True),
    ("number=42", "1e999999999", False),
    ("number=42±5%", "1e999999", False),
    ("length<=3", " йод ", True),
    ("length<3", "йод", False),
    ("length>=2", "a", False),
    ("length=1", "👍", True),
    ("words<=2", "one two", True),
    ("words>2", "one two", False),
    ("words=0", "  ", True),
    ("language=ru", "Столица Австралии — Канберра.", True),
    ("language=ru-RU", "Столица Австралии — Канберра.", True),
    ("language=ru", "The capital of Australia is Canberra.", False),
    ("not-language=en", "Столица Австралии — Канберра.", True),
]


@pytest.mark.parametrize(("check", "answer", "passed"), TABLE)
def test_checks(check: str, answer: str, passed: bool) -> None:
    found = mark(check, answer)

    assert (found.check, found.passed) == (check, passed)
    assert (found.why is None) == passed


def test_texts_are_the_same_however_they_were_typed() -> None:
    assert passes("contains=" + normalize("NFD", "йод"), "йод")
    assert passes("equals=йод", normalize("NFD", "йод"))
    assert passes("regex=^йод$", normalize("NFD", "йод"))
    assert passes("length=3", normalize("NFD", "йод"))


@pytest.mark.parametrize("check", ["contains=@none", "equals=@none", "number=@none"])
@pytest.mark.parametrize("negation", ["", "not-"])
def test_a_row_without_the_column_passes_neither_way(check: str, negation: str) -> None:
    found = mark(negation + check, "4")

    assert found == Mark(check=negation + check, passed=False, why="the row has no none")


def test_a_list_in_a_column_is_any_of_it() -> None:
    case = Case(id="1", text="", columns={"right": ["Canberra", "Канберра"], "odd": {"a": 1}})

    assert passes("contains=@right", "Канберра!", case)
    assert not passes("not-contains=@right", "Канберра!", case)
    assert mark("contains=@odd", "a", case).why == "odd of the row is no text or number"


@pytest.mark.parametrize("answer", ["Canberra", "42"])
@pytest.mark.parametrize("check", ["language=en", "not-language=en"])
def test_a_language_that_cannot_be_told_is_no_pass(check: str, answer: str) -> None:
    assert not passes(check, answer)


EXPECTED = [
    ("Canberra", "canberra.", True),
    ("Canberra", " **Canberra** ", False),
    ("Canberra!", "CANBERRA", True),
    ("4", "4", True),
    ("4", "44", False),
    ("?", "?", True),
    ("?", "!", False),
    ("Straße", "STRASSE.", True),
]


@pytest.mark.parametrize(("right", "answer", "passed"), EXPECTED)
def test_expected_is_equal_but_for_case_and_the_last_punctuation(
    right: str, answer: str, passed: bool
) -> None:
    case = Case(id="1", text="", expected=right)

    found = asyncio.run(expected_check().mark(answer, case))

    assert (found.check, found.passed) == ("expected", passed)


def test_a_case_without_expected_does_not_pass() -> None:
    found = asyncio.run(expected_check().mark("x", Case(id="1", text="")))

    assert not found.passed


def test_all_checks_of_an_answer_in_their_order() -> None:
    checks = read_checks(["contains=a", "length<=1"])

    found = asyncio.run(marked(checks, "ab", CASE))

    assert [(one.check, one.passed) for one in found] == [
        ("contains=a", True),
        ("length<=1", False),
    ]


# ---- numbers -----------------------------------------------------------------------------------

NUMBERS = [
    ("42.", ["42"]),
    ("1,000", ["1000", "1.000"]),
    ("1.000", ["1.000", "1000"]),
    ("0,333", ["0.333"]),
    ("1 234 567,5 руб.", ["1234567.5"]),
    ("$1,234.56", ["1234.56"]),
    ("1.234,56 €", ["1234.56"]),
    ("12,345,678", ["12345678"]),
    ("10-20", ["20"]),
    ("−5", ["-5"]),
    ("6,02 × 10²³", ["6.02E+23"]),
    (r"3 \times 10^{-8}", ["3E-8"]),
    ("1.5e3", ["1.5E+3"]),
    ("٣٫١٤", ["3.14"]),
    ("in 2020 300", ["300"]),
    ("42 km²", ["42"]),
]


@pytest.mark.parametrize(("text", "values"), NUMBERS)
def test_the_last_number(text: str, values: list[str]) -> None:
    found = last_numeral(text)

    assert found is not None
    assert list(found.values) == [Decimal(value) for value in values]


@pytest.mark.parametrize("text", ["26.11.2025", "CO2", "v3.11.2", "none", "", "1.2.3"])
def test_what_is_no_number(text: str) -> None:
    assert list(numerals(text)) == []


@pytest.mark.parametrize("text", ["1" * 200_000, "1 000" * 50_000, "1," * 100_000, "- " * 100_000])
def test_hostile_numbers_take_no_time(text: str) -> None:
    begun = time.process_time()
    passes("number=42", text)

    assert time.process_time() - begun < 2


# ---- what is outside ---------------------------------------------------------------------------


def test_a_pattern_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """(a+)+$ against thirty letters and a sign takes 2^30 steps."""
    monkeypatch.setattr(findings, "REGEX_SECONDS", 0.5)
    begun = time.monotonic()

    for check in ("regex=^(a+)+$", "not-regex=^(a+)+$", 'schema={"pattern": "^(a+)+$"}'):
        answer = f'"{"a" * 40}!"' if check.startswith("schema") else "a" * 40 + "!"
        found = mark(check, answer)
        assert (found.passed, found.why) == (False, "it took longer than 0.5 s")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "schema",
    [
        '{"pattern": "^й+$"}',
        '{"anyOf": [{"type": "string", "pattern": "^й+$"}]}',
        '{"patternProperties": {"^a": {"type": "integer"}}, "type": "string", "maxLength": 2}',
    ],
)
def test_a_schema_with_patterns_is_checked_apart(schema: str) -> None:
    assert passes(f"schema={schema}", '"йй"')
    assert not passes(f"schema={schema}", '"ййa"')
    assert mark(f"schema={schema}", "й").why == "the answer is not JSON: 'й'"


def test_others_go_on_while_a_pattern_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "REGEX_SECONDS", 0.4)

    async def counted() -> int:
        (check,) = read_checks(["regex=^(a+)+$"])
        task = asyncio.create_task(check.mark("a" * 40 + "!", CASE))
        count = 0
        while not task.done():
            await asyncio.sleep(0.01)
            count += 1
        return count

    assert asyncio.run(counted()) >= 10


def program(tmp_path: Path, text: str) -> str:
    path = tmp_path / "check me.py"
    path.write_text(text, encoding="utf-8")
    return f"command={sys.executable} '{path}'"


def test_a_command_reads_the_answer_and_says_why(tmp_path: Path) -> None:
    check = program(
        tmp_path,
        "import os, sys\n"
        "answer = sys.stdin.buffer.read().decode()\n"
        "print('noise' * 100_000)\n"
        "print('\\nwrong city\\nmore', file=sys.stderr)\n"
        "right = (os.environ['LLMCTL_CASE_ID'], os.environ['LLMCTL_EXPECTED']) == ('7', '4')\n"
        "sys.exit(0 if answer == 'Канберра' and right else 3)\n",
    )

    assert passes(check, "Канберра")
    assert not passes("not-" + check, "Канберра")
    assert mark(check, "Сидней").why == "wrong city"
    assert passes("not-" + check, "Сидней")


def test_a_command_that_says_nothing_is_told_by_its_code(tmp_path: Path) -> None:
    assert mark(program(tmp_path, "raise SystemExit(3)"), "x").why == "it ended with exit code 3"


def test_a_command_need_not_read_the_answer(tmp_path: Path) -> None:
    assert passes(program(tmp_path, ""), "x" * 1_000_000)


def test_a_command_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = "sk-" + "proj-" + "x" * 20
    monkeypatch.setenv("OPENAI_API_KEY", "x" * 20)
    monkeypatch.setenv("INNOCENT", fake)
    monkeypatch.setenv("OUR_LETTERS", "secret")
    monkeypatch.setenv("KEPT", "kept")
    check = program(
        tmp_path,
        "import os, sys\n"
        "gone = {'OPENAI_API_KEY', 'INNOCENT', 'OUR_LETTERS'} & set(os.environ)\n"
        "sys.exit(0 if not gone and os.environ['KEPT'] == 'kept' else 1)\n",
    )

    (one,) = read_checks([check], hidden=["OUR_LETTERS"])

    assert asyncio.run(one.mark("x", CASE)).passed


def test_no_key_of_a_shipped_card_gets_through() -> None:
    names = {
        name for one in shipped_ids() for name in shipped_table(one).get("auth", {}).get("env", [])
    }
    kept = {
        "PATH": "/bin",
        "HOME": "/",
        "KEYBOARD": "ru",
        "OPENAI_ORG_ID": "x",
    }

    assert len(names) > 10
    assert without_keys({**dict.fromkeys(names, "x"), **kept}, (), ["gsk_"]) == kept


def test_a_command_that_hangs_is_stopped_with_what_it_started(
    tmp_path: Path,
) -> None:
    """A pipe ends when the last one who could write into it is gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    words = ("sh", "-c", f"(echo here; sleep 60) > '{pipe}' & sleep 60")
    hanging = findings.Command(words, seconds=0.7)

    begun = time.monotonic()
    found = asyncio.run(hanging.find("x", CASE))
    took = time.monotonic() - begun
    gc.collect()  # what asyncio still held open would be told of here, and not in another test
    said = os.read(reading, 100)
    select.select([reading], [], [], 10)
    rest = os.read(reading, 100)  # raises BlockingIOError while somebody could still write
    os.close(reading)

    assert found == findings.Finding(None, "it took longer than 0.7 s")
    assert took < 10
    assert (said, rest) == (b"here\n", b"")


def test_a_comparison_that_is_stopped_leaves_no_program_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def stopped() -> None:
        under_way = asyncio.Event()

        async def seen(*command: str, **more: Any) -> asyncio.subprocess.Process:
            started.append(await create(*command, **more))
            under_way.set()
            return started[0]

        monkeypatch.setattr(asyncio, "create_subprocess_exec", seen)
        task = asyncio.create_task(findings.Command(("sleep", "60")).find("x", CASE))
        await under_way.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(stopped(), 20))

    assert started.pop().returncode == -signal.SIGKILL
    gc.collect()


def test_a_pattern_is_searched_without_the_users_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUR_LETTERS", "secret")
    code = "import os, sys; sys.exit(40 if 'OUR_LETTERS' in os.environ else 41)"
    monkeypatch.setattr(outside, "SEARCH", code)

    assert not passes("regex=x", "x")


def test_a_command_killed_by_a_signal_passes_neither_way(tmp_path: Path) -> None:
    check = program(tmp_path, "import os; os.kill(os.getpid(), 9)")

    assert not passes(check, "x")
    assert not passes("not-" + check, "x")


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    check = program(tmp_path, "import sys; sys.exit(sys.argv[1:] != ['$HOME;', 'exit', '1'])")

    assert passes(check + " $HOME; exit 1", "x")


# ---- bad input ---------------------------------------------------------------------------------

BAD = [
    ("contain=x", "there is no check contain=x", "contains=TEXT"),
    ("contains", "there is no check contains", "contains=TEXT"),
    ("contains<=5", "there is no check contains<=5", "contains=TEXT"),
    ("not-not-contains=x", "there is no check", "contains=TEXT"),
    ("", 'there is no check ""', "contains=TEXT"),
    ("contains=", "contains= says nothing after =", "contains=Canberra"),
    ("length", "length says no bound", "--check 'length<=200'"),
    ("length<=many", "many is no whole number", "length<=200"),
    ("length<=-1", "-1 is no whole number", "length<=200"),
    ("regex=a(b", "a(b is no regular expression, at character 2: missing )", "Python"),
    ("number=pi", "pi is no number", "number=42"),
    ("number=1±x", "1±x is no number", "number=42"),
    ("number=1±-1", "1±-1 is no number", "number=42"),
    ("number=1,000", "1,000 can be read in two ways", "1000 or 1"),
    ("schema={", "the schema is not JSON", "--schema"),
    ("schema=/nowhere/at/all.json", "cannot read the schema", "--schema"),
    ("language=xx", "no way to tell the language xx", "ru"),
    ("command=no-such-program-at-all x", "there is no program no-such-program-at-all", "shell"),
    ("command='a", "cannot be split into words", "command="),
]


@pytest.mark.parametrize(("check", "message", "hint"), BAD)
def test_what_is_no_check_is_refused(check: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_checks(["contains=fine", check])

    assert message in refused.value.message
    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("text", "share"),
    [("95%", 0.95), ("0.95", 0.95), ("0,5", 0.5), ("100 %", 1.0), ("0", 0.0), ("1", 1)],
)
def test_a_share(text: str, share: float) -> None:
    assert read_share(text) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("text", ["95", "101%", "-1%", "nan", "", "%", "1e-2", "half"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError):
        read_share(text)

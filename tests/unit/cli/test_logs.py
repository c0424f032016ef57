import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from llmctl.cli import ledger_sums
from llmctl.cli.kept import kept_by
from llmctl.cli.logged import moment
from llmctl.cli.logs import app
from llmctl.errors import LlmctlError, NotFound, UsageError
from llmctl.output.envelope import envelope
from llmctl.settings import Loaded, Policy, Settings
from llmctl.settings.layers import Origin
from llmctl.settings.shape import Log
from llmctl.store.answers import Answers
from llmctl.store.ledger import Ledger
from llmctl.store.shape import MODE_BY
from llmctl.types import COUNTED, Cost, CostKind, Count, Latency, Usage
from tests.unit.store.shared import chat, failed, receipt, rich_receipt, system, user


@pytest.fixture(autouse=True)
def ledger_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def kept(ledger_path: Path) -> Path:
    """Three runs: one without text, one that failed, and as the last one with everything."""
    with Ledger(ledger_path, retention_days=None) as ledger:
        numbers = receipt(
            "meta-1",
            usage=Usage(10, 2),
            cost=Cost("0.25", "USD", CostKind.REPORTED),
            latency=Latency(total_s=1.5, ttft_s=0.25),
            started_at="2026-11-01T10:00:00Z",
        )
        ledger.record(numbers, chat(user("hidden")), mode="meta")
        ledger.record(failed("bad-1"), chat(user("ask\nthe sky")), conversation="talk")
        ledger.record(rich_receipt(), chat(system("Кратко"), user("Почему небо голубое?")))
    return ledger_path


def logs(*arguments: str) -> str:
    """What a command that succeeds prints on standard output."""
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def logs_json(*arguments: str) -> Any:
    return json.loads(logs(*arguments, "--json"))


def refused(kind: type[LlmctlError], *arguments: str) -> LlmctlError:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    return caught.value


def test_list_shows_the_newest_first(kept: Path) -> None:
    lines = [line.split() for line in logs("list").splitlines()]

    assert lines[0][0] == "id"
    assert [line[0] for line in lines[1:]] == ["019abc", "bad-1", "meta-1"]
    assert lines[1][2:6] == ["gigachat/GigaChat-2", "12", "34", "0.0000022"]
    assert " ".join(lines[1][6:]) == "RUB 0.90 cut-off Почему небо голубое?"
    assert lines[2][-3:] == ["ask", "the", "sky"]
    assert lines[3][2:] == ["openai/m", "10", "2", "0.25", "USD", "1.50", "ok", "-"]


@pytest.mark.parametrize(
    ("narrowed", "ids"),
    [
        (["-n", "1"], ["019abc"]),
        (["-n", "0"], ["019abc", "bad-1", "meta-1"]),
        (["-m", "GIGA"], ["019abc"]),
        (["--provider", "openai"], ["bad-1", "meta-1"]),
        (["--failed"], ["019abc", "bad-1"]),
        (["--cid", "talk"], ["bad-1"]),
        (["--since", "2026-11-02"], ["019abc", "bad-1"]),
    ],
)
def test_a_list_can_be_narrowed(kept: Path, narrowed: list[str], ids: list[str]) -> None:
    assert ids == [run["id"] for run in logs_json("list", *narrowed)["runs"]]


def test_a_list_as_json_has_the_starts_of_texts(kept: Path) -> None:
    document = logs_json("list")

    assert document["version"] == 1
    rich, _bad, meta = document["runs"]
    assert rich["prompt_start"] == "Почему небо голубое?"
    assert rich["text_start"] == "Небо голубое"
    assert rich["usage"]["input_tokens"] == 12
    assert rich["error"]["code"] == "cut-off"
    assert "text" not in rich
    assert (meta["prompt_start"], meta["text_start"]) == (None, None)
    assert meta["log"] == {
        "kind": "chat",
        "mode": "meta",
        "mode_by": None,
        "conversation": None,
        "tags": {"tag": None, "project": None},
        "counted_tokens": None,
    }


def test_the_envelope_of_a_kept_run_is_that_of_the_run(kept: Path) -> None:
    """`logs show --json` prints what `ask --json` printed, and what was sent beside it."""
    shown = logs_json("show")

    log = shown.pop("log")
    assert shown == json.loads(json.dumps(envelope(rich_receipt())))
    assert log["messages"] == [
        {"role": "system", "text": "Кратко", "parts": []},
        {"role": "user", "text": "Почему небо голубое?", "parts": []},
    ]
    assert log["asked"]["max_tokens"] is None


def test_show_is_for_people_without_json(kept: Path) -> None:
    text = logs("show", "019")

    places = [text.index(part) for part in ("Кратко", "Почему", "рассеяние", "Небо голубое")]
    assert places == sorted(places)
    assert '[look({"at": "sky"})]' in text
    assert "failed: cut-off: ended early" in text


@pytest.mark.parametrize(
    ("by", "why"),
    [("flag", "(--log meta)"), ("policy", "(a policy with"), ("user", "(log.mode = meta)")],
)
def test_show_says_why_no_text_was_kept(ledger_path: Path, by: str, why: str) -> None:
    with Ledger(ledger_path) as ledger:
        ledger.record(receipt("a"), chat(), mode="meta", tags={MODE_BY: by, "tag": "t"})

    assert f"not kept {why}" in logs("show")
    [run] = logs_json("list")["runs"]
    assert (run["log"]["mode_by"], run["log"]["tags"]) == (by, {"tag": "t", "project": None})


def test_what_chose_how_much_is_kept() -> None:
    flag = Loaded(Settings(log=Log(mode="meta")), {"log.mode": Origin("flag", "--log")})
    policy = Loaded(Settings(policy=Policy(log_bodies=False)), {})

    assert [kept_by(one) for one in (flag, policy)] == [("meta", "flag"), ("meta", "policy")]


@pytest.mark.parametrize("mode", ["full", "meta"])
def test_tokens_that_were_only_counted(ledger_path: Path, mode: str) -> None:
    """They are told, and are no usage in any sum."""
    with Ledger(ledger_path) as ledger:
        ledger.record(receipt("a", usage=Usage(), details={COUNTED: 7}), Count("m", ()), mode=mode)

    assert "tokens   7, only counted" in logs("show")
    assert " 7 " in logs("list").splitlines()[1]
    [run] = logs_json("list")["runs"]
    assert (run["log"]["counted_tokens"], run["usage"]["input_tokens"]) == (7, None)
    assert logs_json("stats")["stats"] == []


def test_show_of_nothing(ledger_path: Path) -> None:
    refused(NotFound, "show")
    refused(NotFound, "show", "x")
    assert not ledger_path.exists()


def test_search_shows_where(kept: Path) -> None:
    assert logs("search", "голуб").splitlines()[1].split()[0] == "019abc"
    [run] = logs_json("search", "ask")["runs"]
    assert (run["id"], run["excerpt"]) == ("bad-1", "ask the sky")
    assert logs_json("search", "hidden")["runs"] == []


def test_stats(kept: Path) -> None:
    lines = logs("stats", "--by", "provider").splitlines()
    sums = ["gigachat", "1", "1", "12", "34", "0.0000022", "RUB", "0"]
    assert lines[1].split() == sums
    sums = ["openai", "2", "1", "10", "2", "0.25", "USD", "0"]
    assert lines[2].split() == sums
    # One run that was measured: nobody knows the slowest of twenty.
    assert lines[4].split() == ["provider", "runs", "p50", "p90", "p95", "p99"]
    assert lines[5] == "openai"
    assert lines[6].split() == ["first", "token,", "s", "1", "0.250", "0.250", "-", "-"]
    assert lines[8].split() == ["total,", "s", "1", "1.500", "1.500", "-", "-"]

    nothing = {"count": 0, "p50": None, "p90": None, "p95": None, "p99": None}
    document = logs_json("stats", "--by", "day", "--since", "2026-11-24")
    assert document["by"] == "day"
    assert document["stats"] == [
        {
            "key": "2026-11-24",
            "runs": 2,
            "failed": 2,
            "input_tokens": 12,
            "output_tokens": 34,
            "cost": [{"amount": "0.0000022", "currency": "RUB"}],
            "unpriced": 0,
            "median_ttft_s": None,
            "median_total_s": None,
            "ttft_s": nothing,
            "ttft_ready_s": nothing,
            "total_s": nothing,
            "output_tokens_per_s": nothing,
            "connected": 0,
            "reused": 0,
            "loaded": 0,
        }
    ]
    assert [one["key"] for one in logs_json("stats")["stats"]] == [
        "gigachat/GigaChat-2:2.0",
        "openai/m",
    ]
    assert "day, month, model, provider" in str(refused(UsageError, "stats", "--by", "colour").hint)


def test_explain(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = logs("explain")
    assert str(kept) in text
    assert "3, of which 2 with text" in text
    assert "90 days" in text
    monkeypatch.setenv("LLMCTL_POLICY__LOG_BODIES", "false")
    monkeypatch.setenv("LLMCTL_LOG__KEEP_DAYS", "0")

    document = logs_json("explain")
    assert (document["mode"], document["retention_days"]) == ("meta", None)
    assert (document["runs"], document["path"]) == (3, str(kept))


def test_export_writes_a_whole_run_a_line(kept: Path) -> None:
    lines = [json.loads(line) for line in logs("export").splitlines()]

    assert [line["id"] for line in lines] == ["019abc", "bad-1", "meta-1"]
    assert lines[1]["log"]["messages"][0]["text"] == "ask\nthe sky"
    assert len(logs("export", "--failed").splitlines()) == 2


def test_path(ledger_path: Path) -> None:
    assert logs("path") == f"{ledger_path}\n"


# ------------------------------------------------------------------------------------------ purge


def left(path: Path) -> list[str]:
    with Ledger(path) as ledger:
        return [entry.receipt.id for entry in ledger.list()]


def test_purge_one(kept: Path) -> None:
    logs("purge", "bad", "--yes")

    assert left(kept) == ["019abc", "meta-1"]


def test_purge_by_age(kept: Path) -> None:
    logs("purge", "--older-than", "0.5", "--yes")

    assert "meta-1" not in left(kept)


def test_purge_all(kept: Path) -> None:
    logs("purge", "--all", "-y")

    assert left(kept) == []


def test_purging_all_runs_empties_the_cache_of_answers(kept: Path) -> None:
    """They hold the same texts. One run says nothing of which answers are meant."""
    path = kept.with_name("answers.db")
    with Answers(path) as answers:
        answers.put([(b"1" * 32, b"answer"), (b"2" * 32, b"answer")])

    logs("purge", "bad", "--yes")
    with Answers(path) as answers:
        assert answers.get(b"1" * 32) is not None
    ran = CliRunner().invoke(app, ["purge", "--all", "--yes"], catch_exceptions=False)

    assert "2" in ran.stderr.splitlines()[-1]
    with Answers(path) as answers:
        assert answers.get(b"1" * 32) is None


@pytest.mark.parametrize("given", [[], ["a", "--all"], ["--all", "--older-than", "3"]])
def test_purge_wants_one_thing_named(kept: Path, given: list[str]) -> None:
    refused(UsageError, "purge", *given, "--yes")

    assert len(left(kept)) == 3


def test_purge_without_a_terminal_wants_to_be_sure(kept: Path) -> None:
    assert "--yes" in str(refused(UsageError, "purge", "--all").hint)

    assert len(left(kept)) == 3


class Typed(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "is_sure"),
    [("y\n", True), ("Да\n", True), ("\n", False), ("n\n", False), ("", False)],
)
def test_on_a_terminal_enter_means_no(
    typed: str,
    is_sure: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))

    assert ledger_sums.sure("Delete every run for good?") is is_sure
    assert capsys.readouterr() == ("", "Delete every run for good? [y/N] ")


# ---------------------------------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T15:00Z", "2026-11-01T15:00:00Z"),
        ("2026-11-01T15:00+03:00", "2026-11-01T12:00:00Z"),
    ],
)
def test_a_moment_is_utc(given: str, utc: str) -> None:
    assert moment(given) == utc


def test_days_and_hours_count_back_from_now() -> None:
    day, hours, now = moment("1d"), moment("24h"), moment("0h")

    assert day is not None
    assert hours is not None
    assert now is not None
    assert day <= hours < now


@pytest.mark.parametrize(
    "given", ["yesterday", "7", "7w", "2026-13-01", "999999999d", "0001-01-01T00:00+10:00", ""]
)
def test_a_moment_nobody_understands(given: str) -> None:
    with pytest.raises(UsageError):
        moment(given)

"""Whole runs of `llmctl image` against every format that the simulator draws by."""

import json
import os
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmctl.dialects.pictures import dimensions, kind_of
from tests.e2e.harness import Llmctl, Result
from tests.simulator import Simulator
from tests.simulator.hosts import host_url
from tests.simulator.site import MODELS

PROVIDERS = ("openai", "gemini", "gigachat", "yandexgpt", "huggingface")
ENDINGS = ("png", "png", "jpg", "jpg", "png")
FOX = "рыжая лиса"
FLARE = "openai/gpt-image-2.5-flare"


@pytest.fixture(autouse=True)
def addresses(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env |= {
        "LLMCTL_PROVIDERS__HUGGINGFACE__BASE_URL": host_url(sim.url, "huggingface"),
        "LLMCTL_PROVIDERS__HUGGINGFACE__TEXT_GENERATION": "router",
        "LLMCTL_PROVIDERS__OPENAI__FACTS": "inherit",
        "HF_TOKEN": "hf_" + "x" * 34,
    }
    sim.models = (*MODELS, "gpt-image-2.5-flare")


def image(llmctl: Llmctl, model: str, *flags: str) -> Result:
    return llmctl.run("image", FOX, "-m", model, *flags)


def files(llmctl: Llmctl) -> list[str]:
    return sorted(os.listdir(llmctl.home))


@pytest.mark.parametrize(("provider", "ending"), [*zip(PROVIDERS, ENDINGS, strict=True)])
def test_every_provider_draws_a_file(llmctl: Llmctl, provider: str, ending: str) -> None:
    result = image(llmctl, f"{provider}/mock", "-q")

    name = f"рыжая-лиса.{ending}"
    assert (result.code, result.out, result.err) == (0, f"{name}\n", "")
    assert files(llmctl) == [name]
    found = kind_of((llmctl.home / name).read_bytes())
    assert found == ("image/png" if ending == "png" else "image/jpeg")


def test_the_second_version_of_gigachat(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_PROVIDERS__GIGACHAT__API"] = "v2"

    result = image(llmctl, "gigachat/mock", "--output", "fox.jpg")

    assert (result.code, result.out) == (0, "fox.jpg\n"), result.err
    file = "/gigachat/v1/files/00000001-0000-4000-8000-000000000000"
    assert [one.path for one in sim.requests[-3:]] == [
        "/gigachat/v2/chat/completions",
        f"{file}/content",
        f"{file}/delete",
    ]
    assert dimensions((llmctl.home / "fox.jpg").read_bytes()) == (1024, 1024)


def test_what_gigachat_has_drawn_does_not_stay_there(llmctl: Llmctl, sim: Simulator) -> None:
    result = image(llmctl, "gigachat/mock", "--count", "2", "-q")

    assert (result.code, len(files(llmctl)), sim.files.most) == (0, 2, 1), result.err
    assert sim.files.held == {}


def test_a_drawn_picture_that_cannot_be_deleted_is_told_and_a_success(
    llmctl: Llmctl, sim: Simulator
) -> None:
    sim.files.keeps = 400

    result = image(llmctl, "gigachat/mock")

    assert (result.code, len(files(llmctl))) == (0, 1), result.err
    assert "could not be deleted" in result.err
    assert "/delete" in result.err


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("openai/mock-fault-image-filtered", 13),
        ("openai/mock-fault-image-broken", 10),
        ("gemini/mock-fault-image-filtered", 13),
        ("gigachat/mock-fault-image-filtered", 13),
        ("gigachat/mock-fault-image-broken", 10),
        ("yandexgpt/mock-fault-image-filtered", 13),
        ("huggingface/mock-fault-image-empty", 10),
    ],
)
def test_what_is_no_picture_is_no_success(
    llmctl: Llmctl, sim: Simulator, model: str, code: int
) -> None:
    result = image(llmctl, model)

    assert (result.code, result.out) == (code, ""), result.err
    assert model.partition("/")[0] in result.err
    assert files(llmctl) == []
    assert len(sim.calls) == 1  # a second one would be paid, too


def test_json_says_where_the_pictures_are(llmctl: Llmctl) -> None:
    result = image(llmctl, FLARE, "--count", "2", "--size", "96x48", "--format", "webp",
                   "--output", "out.webp", "--json", "-o", "quality=high")  # fmt: skip

    assert result.code == 0, result.err
    assert [(one["path"], one["width"], one["height"]) for one in result.json["media"]] == [
        ("out-1.webp", 96, 48),
        ("out-2.webp", 97, 48),
    ]
    assert all(one["data"] is None for one in result.json["media"])
    # 10 tokens of the prompt at $5, 2,000 of two pictures at $30, for a million.
    assert result.json["cost"]["amount"] == "0.06005"
    assert files(llmctl) == ["out-1.webp", "out-2.webp"]


def test_more_pictures_than_an_answer_holds_are_asked_for_one_by_one(
    llmctl: Llmctl, sim: Simulator
) -> None:
    result = image(llmctl, "gemini/mock", "--count", "3", "--seed", "5", "--json")

    assert result.code == 0, result.err
    assert [one["path"] for one in result.json["media"]] == [
        f"рыжая-лиса-{number}.png" for number in (1, 2, 3)
    ]
    assert [one.json["generationConfig"]["seed"] for one in sim.calls] == [5, 6, 7]
    assert result.json["usage"]["input_tokens"] == 30
    assert result.json["attempts"] == 3


def test_what_came_is_kept_when_something_is_missing(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["ok", "image-filtered", "ok", "500-final"])

    result = image(llmctl, "gemini/mock", "--count", "5", "-q")

    assert result.code == 15
    assert "2 of 5 pictures came" in result.err
    assert files(llmctl) == ["рыжая-лиса-1.png", "рыжая-лиса-2.png"]
    assert len(sim.calls) == 4  # after a filter it goes on, after an error it does not


def test_fewer_pictures_than_asked_for(llmctl: Llmctl) -> None:
    result = image(llmctl, "openai/mock-fault-image-fewer", "--count", "4", "--json")

    assert result.code == 15
    assert len(result.json["media"]) == 3
    assert result.json["error"]["code"] == "partial"


def test_another_type_than_asked_for_is_named_after_its_content(llmctl: Llmctl) -> None:
    result = image(llmctl, "openai/mock-fault-image-other", "--output", "fox.png", "-q")

    assert (result.code, result.out) == (0, "fox.jpg\n")
    assert "image/jpeg" in result.err


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--output", "there.png"), 18, "there already"),
        (("--output", "no/fox.png"), 18, "mkdir -p no"),
        (("--size", "16:9"), 2, "in pixels"),
        (("--max-cost", "1 USD"), 5, "--allow-unknown-cost"),
    ],
)
def test_nothing_is_sent_that_could_not_be_kept_or_paid(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...], code: int, said: str
) -> None:
    (llmctl.home / "there.png").write_text("mine")

    result = image(llmctl, FLARE, *flags)

    assert result.code == code, result.err
    assert said in result.err
    assert sim.calls == []
    assert files(llmctl) == ["there.png"]
    assert (llmctl.home / "there.png").read_text() == "mine"


@pytest.mark.parametrize("model", ["openai/gpt-6-luna", None])
def test_who_does_not_draw_is_refused_with_those_that_do(
    llmctl: Llmctl, sim: Simulator, model: str | None
) -> None:
    result = llmctl.run("image", FOX, *(("-m", model) if model else ()))

    assert result.code == 2
    assert "-m openai/gpt-image-2.5-flare" in result.err
    assert sim.calls == []


def test_a_cut_answer_is_not_paid_twice(llmctl: Llmctl, sim: Simulator) -> None:
    result = image(llmctl, "openai/mock-fault-short-body")

    assert (result.code, result.out, files(llmctl)) == (9, "", [])
    assert len(sim.calls) == 1


def test_an_operation_that_never_ends(llmctl: Llmctl) -> None:
    result = image(llmctl, "yandexgpt/mock-fault-image-endless", "--timeout", "1.2")

    assert result.code == 9
    assert "--timeout" in result.err
    assert result.seconds < 5


def test_the_time_that_is_over_is_the_one_that_was_typed(llmctl: Llmctl, sim: Simulator) -> None:
    sim.script(["ok", "image-endless"])

    result = image(llmctl, "yandexgpt/mock", "--count", "2", "--timeout", "2.5")

    assert result.code == 15, result.err
    assert "no whole answer within 2.5 s" in result.err
    assert "may be charged" in result.err
    assert result.seconds < 6


def test_a_host_that_only_names_the_picture(llmctl: Llmctl, sim: Simulator) -> None:
    result = image(llmctl, "openai/mock-fault-image-url")

    assert result.code == 10
    assert "https://pictures.example/1.png?sig=abc" in result.err
    assert len(sim.requests) == 1


def test_a_dry_run_shows_the_request_and_makes_no_file(llmctl: Llmctl, sim: Simulator) -> None:
    result = image(llmctl, FLARE, "--dry-run", "--size", "1024x1024", "--count", "12")

    assert result.json["body"] == {
        "model": "gpt-image-2.5-flare",
        "prompt": FOX,
        "n": 10,
        "size": "1024x1024",
    }
    assert result.json["estimate"]["high"] is None
    assert "2 such requests" in result.err
    assert (sim.requests, files(llmctl)) == ([], [])


def test_a_dry_run_of_several_is_judged_and_priced_as_a_whole(
    llmctl: Llmctl, sim: Simulator
) -> None:
    llmctl.env["LLMCTL_PROVIDERS__GEMINI__FACTS"] = "inherit"
    priced = "gemini/gemini-nano-banana-2.1", "--dry-run"
    one = image(llmctl, *priced).json["estimate"]
    three = image(llmctl, *priced, "--count", "3").json["estimate"]

    for name in ("low", "high"):
        assert Decimal(three[name]["amount"]) == 3 * Decimal(one[name]["amount"])
    cap = f"{2 * Decimal(one['high']['amount'])} USD"
    assert image(llmctl, *priced, "--max-cost", cap).code == 0
    refused = image(llmctl, *priced, "--count", "3", "--max-cost", cap)
    assert refused.code == 5, refused.err
    assert sim.requests == []


def test_the_prompt_comes_from_a_pipe_and_secrets_do_not_leave(
    llmctl: Llmctl, sim: Simulator
) -> None:
    given = "мейл ivan.petrov@example.org".encode()

    result = llmctl.run("image", "draw", "-m", "openai/mock", "--redact", stdin=given)

    assert result.code == 0, result.err
    assert "example.org" not in sim.calls[0].json["prompt"]
    assert "example" not in result.out


def test_the_ledger_knows_the_file_and_not_its_bytes(llmctl: Llmctl) -> None:
    image(llmctl, "openai/mock", "--tag", "foxes")

    (run,) = llmctl.run("logs", "list", "--json").json["runs"]
    found: Any = llmctl.run("logs", "show", run["id"], "--json").json
    data = (llmctl.home / "рыжая-лиса.png").read_bytes()
    with sqlite3.connect(llmctl.data / "ledger.db") as ledger:
        kinds = ledger.execute("SELECT kind FROM runs").fetchall()
        blobs = ledger.execute("SELECT count(*) FROM blobs").fetchone()
    assert kinds == [("image",)]
    assert blobs == (0,)
    (file,) = found["details"]["files"]
    assert (file["path"], file["bytes"]) == ("рыжая-лиса.png", len(data))
    assert json.dumps(found).count("iVBOR") == 0


def test_on_a_terminal_the_path_and_the_receipt(llmctl: Llmctl) -> None:
    shown = llmctl.on_terminal("image", "fox", "-m", "yandexgpt/mock").out

    assert "fox.jpg\r\n" in shown
    assert " · " in shown.splitlines()[-1]
    assert Path(llmctl.home / "fox.jpg").exists()

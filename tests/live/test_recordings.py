"""Recordings of `doctor --live --record`: those that users gave, and one made against the
simulator, decode to what they decoded to when they were made."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl.engine.recording import LOOKS_SECRET
from tests.e2e.harness import KEY, Llmctl
from tests.live.replay import calls, names_listed, read, replayed
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

GIVEN = sorted((Path(__file__).parent / "recordings").glob("*.json"))


def check_all(recording: dict[str, Any]) -> int:
    """Every recorded call once more; the number of them."""
    for check in calls(recording):
        now = replayed(recording, check)
        then = check["answer"]
        where = f"{recording['provider']}, {check['check']}"
        assert (now.text, now.finish, now.error) == (
            then["text"],
            then["finish"],
            then["error"],
        ), where
        assert now.usage == then["usage"], where
    return len(calls(recording))


@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
def test_what_users_recorded_decodes_as_it_did(path: Path) -> None:
    recording = read(path)

    assert check_all(recording)
    assert not LOOKS_SECRET.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_recording_made_here_decodes_as_it_did(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path, provider: str
) -> None:
    path = tmp_path / "recording.json"

    result = llmctl.run(
        *("doctor", provider, "--live", "-m", f"{provider}/mock", "--record", str(path)), "--json"
    )

    assert (result.code, result.json["failed"]) == (0, None), result.out
    assert len(sim.requests) == 10
    recording = read(path)
    assert check_all(recording) == 9
    names = [check["check"] for check in recording["checks"]]
    assert names == [
        *("streamed", "list", "whole", "system", "max-tokens", "schema", "sampling", "stop"),
        *("no-model", "bad-request"),
    ]
    listed = names_listed(recording)
    assert listed is not None
    assert "mock" in listed
    first = recording["checks"][0]
    assert first["answer"]["text"] == TEXT
    # What is encoded now is what went over the wire then.
    assert replayed(recording, first).bodies == (json.loads(sim.requests[0].body),)
    assert KEY not in path.read_text(encoding="utf-8")
    assert KEY in sim.requests[0].headers.get("authorization", KEY)


@pytest.mark.parametrize(
    ("field", "value"),
    [("text", "something else"), ("finish", "length"), ("error", "auth"), ("usage", None)],
)
def test_a_replay_notices_what_is_decoded_differently(
    llmctl: Llmctl, tmp_path: Path, field: str, value: str | None
) -> None:
    path = tmp_path / "recording.json"
    llmctl.run("doctor", "ollama", "--live", "-m", "ollama/mock", "--record", str(path))
    recording = read(path)
    recording["checks"][0]["answer"][field] = value

    with pytest.raises(AssertionError, match="ollama, streamed"):
        check_all(recording)

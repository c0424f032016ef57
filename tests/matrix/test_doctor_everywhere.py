"""What `doctor --live --record` does with each provider: its claims hold against the simulator, and
its recording decodes to the same without a network and without a key."""

import asyncio
import json
from functools import cache
from typing import Any

import pytest

from llmctl.cli.live import proven as proved
from llmctl.engine.diagnose import State
from llmctl.engine.proof import MOST_CALLS, Tried
from llmctl.engine.recording import recording
from tests.e2e.harness import KEY
from tests.live.replay import calls, replayed
from tests.matrix.lanes import LaneId, lanes
from tests.matrix.play import Stages


@cache
def proven(lane: LaneId, stages: Stages) -> tuple[list[Tried], int, Any]:
    """The claims, the number of requests to the provider, and the recording."""
    stage = stages.stages[lane]
    stage.forget()
    stage.sim.models = (*stage.sim.models, stage.route.model)
    _checks, tried, recorder = asyncio.run(proved(stage.route, stage.loaded, 64))
    text = recording(stage.route, recorder, tried).decode()
    assert not any(secret in text for secret in (KEY, *stage.sim.tokens))
    asked = sum(one.is_call for one in recorder.exchanges)
    return [one for one, _numbers in tried], asked, json.loads(text)


@pytest.mark.parametrize("lane", lanes(), ids=lambda lane: lane.name)
def test_the_claims_of_every_card_hold(stages: Stages, lane: LaneId) -> None:
    tried, requests, _recording = proven(lane, stages)

    assert [one.check for one in tried if one.check.state is State.FAILED] == []
    states = {one.check.layer: one.check.state for one in tried}
    for name in ("streamed", "whole", "system", "max-tokens", "no-model", "bad-request"):
        assert states[name] is State.OK, name
    assert 6 <= requests <= MOST_CALLS


@pytest.mark.parametrize("lane", lanes(), ids=lambda lane: lane.name)
def test_the_recording_decodes_to_the_same(stages: Stages, lane: LaneId) -> None:
    _tried, _requests, document = proven(lane, stages)

    assert document["provider"] == lane.provider
    assert document["dialect"] == lane.dialect
    for check in calls(document):
        now, then = replayed(document, check), check["answer"]
        where = check["check"]
        assert (now.text, now.finish, now.error) == (
            then["text"],
            then["finish"],
            then["error"],
        ), where
        assert now.usage == then["usage"], where

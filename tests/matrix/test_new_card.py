"""A provider is in the matrix by its card, and by nothing else."""

import tomllib
from pathlib import Path

import pytest

from llmctl.cards import Card
from llmctl.structure import build
from tests.matrix import lanes as discovery
from tests.matrix.features import FEATURES, checked_by_all
from tests.matrix.play import Stages, played_by_all
from tests.matrix.table import FAULTS

CARD = """\
card = 1
id = "newhost"
name = "A new host"
kind = "api"
dialect = "openai_chat"
any_model = true

[endpoint]
base_url = "https://api.newhost.example/v7"

[auth]
kind = "key"
env = ["NEWHOST_API_KEY"]

[[settings]]
name = "project"
help = "whose it is"
required = true

[quirks]
max_tokens_field = "max_completion_tokens"
stop = false
"""


def test_a_new_card_is_a_new_row(
    stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = build(Card, tomllib.loads(CARD))
    folder = tmp_path / card.id / "config" / "providers"
    folder.mkdir(parents=True)
    (folder / "newhost.toml").write_text(CARD)
    known = discovery.cards()
    monkeypatch.setattr(discovery, "cards", lambda: {**known, card.id: card})
    (lane,) = discovery._lanes_of(card)

    stage = stages.staged(lane, tmp_path)

    assert stage.route.quirks.settings == {"project": "simulated-one"}
    wanted = {"cut": (11, 1), "key-echo": (6, 1), "500-forever": (10, 5), "filtered": (13, 1)}
    for row in (row for row in FAULTS if row.fault in wanted):
        (outcome,) = played_by_all([stage], row)
        assert (outcome.code, outcome.requests) == wanted[row.fault], outcome
    had = {feature.name: checked_by_all([stage], feature) for feature in FEATURES}
    assert had["stop"] == [False], "as the card says"
    assert had["limit"] == had["tools"] == had["404"] == [True]

"""Every provider, every feature, every fault: the same exit code, the same text."""

from functools import cache

import pytest

from llmctl.dialects import DIALECTS
from tests.e2e.harness import KEY
from tests.matrix.features import ABSENT, FEATURES, Feature, checked_by_all
from tests.matrix.lanes import LaneId, cards, carried, lanes, missing
from tests.matrix.play import Outcome, Stages, played_by_all
from tests.matrix.table import CANNOT, FAULTS, REFUSED, Row

NAMES = {lane.name: lane for lane in lanes()}
CELLS = [(row, lane) for row in FAULTS for lane in lanes() if carried(row, lane) is None]


def named(one: object) -> str | None:
    return getattr(one, "fault", getattr(one, "name", None))


@cache
def outcomes(row: Row, stages: Stages) -> dict[LaneId, Outcome]:
    """A row is run once, by all providers together; each cell looks at its own outcome."""
    those = [lane for lane in stages.stages if carried(row, lane) is None]
    found = played_by_all([stages.stages[lane] for lane in those], row)
    return dict(zip(those, found, strict=True))


@cache
def had(feature: Feature, stages: Stages) -> dict[LaneId, bool | BaseException]:
    found = checked_by_all(list(stages.stages.values()), feature)
    return dict(zip(stages.stages, found, strict=True))


def fits(outcome: Outcome, row: Row) -> bool:
    """Whether exit code, text, waits and the number of requests are those of the row."""
    if (outcome.code, outcome.error, outcome.waits) != (row.code, row.error, row.waits):
        return False
    if row.code == 11:
        # Of an answer that is torn somewhere it depends on the frames how much is there.
        return outcome.text.startswith(row.text) and outcome.requests == row.requests
    texts = ("", REFUSED) if row.text == REFUSED else (row.text,)
    return outcome.text in texts and outcome.requests == row.requests


@pytest.mark.parametrize("lane", lanes(), ids=named)
def test_every_provider_is_in_the_matrix(lane: LaneId) -> None:
    assert missing(lane) is None


@pytest.mark.parametrize(("row", "lane"), CELLS, ids=named)
def test_a_fault_means_the_same_everywhere(stages: Stages, row: Row, lane: LaneId) -> None:
    outcome = outcomes(row, stages)[lane]
    stage = stages.stages[lane]

    if row.renews and stage.route.target.auth is not None and outcome.requests > row.requests:
        outcome = outcome.less_one()
    assert fits(outcome, row), (row, outcome)
    assert not any(secret in outcome.said for secret in (KEY, *stage.sim.tokens)), outcome.said


@pytest.mark.parametrize("lane", lanes(), ids=named)
@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_a_feature_is_there_or_said_not_to_be(
    stages: Stages, feature: Feature, lane: LaneId
) -> None:
    found = had(feature, stages)[lane]

    if isinstance(found, BaseException):
        raise found
    if (feature.name, lane.dialect) in ABSENT:
        assert not found, "no longer absent: take it out of ABSENT"
    elif feature.always:
        assert found


@pytest.mark.parametrize(("fault", "dialect"), CANNOT, ids=lambda one: one)
def test_what_a_dialect_cannot_carry_would_not_come_out_right(
    stages: Stages, fault: str, dialect: str
) -> None:
    """Otherwise it can, and does not belong into the list."""
    row = next(row for row in FAULTS if row.fault == fault)
    stage = next(one for lane, one in stages.stages.items() if lane.dialect == dialect)

    (outcome,) = played_by_all([stage], row)

    assert not fits(outcome, row)


def test_the_table_covers_the_list_of_failures() -> None:
    """A14 (cumulative text, NDJSON) is what every row checks by its text, B4 (paid twice) by its
    number of requests; B8 and C5 are features; C6 is said of clocks, and shown by C5."""
    about = {row.about for row in FAULTS}
    elsewhere = {"A14", "B4", "B8", "C5", "C6"}
    wanted = {*(f"A{number}" for number in range(1, 16)), *(f"B{number}" for number in range(1, 9))}
    wanted |= {f"C{number}" for number in range(1, 7)}

    assert about | elsewhere == wanted
    assert {"(B8)", "(C5)"} <= {feature.says[-4:] for feature in FEATURES}


def test_every_card_and_every_dialect_has_a_row() -> None:
    assert {lane.provider for lane in lanes()} == set(cards())
    counting = {card.count_dialect for card in cards().values()} - {None}
    assert {lane.dialect for lane in lanes()} | counting == set(DIALECTS)


def test_knobs_are_really_different_among_providers(stages: Stages) -> None:
    """A feature that all or none have by a mistake of the check would prove nothing."""
    for name in ("stop", "seed", "thoughts", "renewal"):
        feature = next(one for one in FEATURES if one.name == name)
        assert set(had(feature, stages).values()) == {True, False}, name

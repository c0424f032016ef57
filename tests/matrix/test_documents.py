"""The texts that the matrix makes are those in docs/, and what they claim is there."""

import re

import pytest

from tests.generated import in_english
from tests.matrix import document, providers
from tests.matrix.__main__ import DOCS
from tests.matrix.evidence import CLAIMS, Claim, live, shown
from tests.matrix.lanes import cards, lanes
from tests.matrix.play import Stages

REFRESH = "run: python -m tests.matrix"


def test_what_the_matrix_comes_to_is_written(stages: Stages) -> None:
    written = (DOCS / "conformance.md").read_text(encoding="utf-8")

    assert document.written(stages) == written, REFRESH


def test_what_cards_say_is_written() -> None:
    with in_english():
        assert providers.written() == (DOCS / "providers.md").read_text(encoding="utf-8"), REFRESH


def test_the_same_question_is_answered_by_every_provider(stages: Stages) -> None:
    for lane, stage in stages.stages.items():
        one = document.answered(stage)
        assert one["text"] == "Столица Австралии — Канберра.", lane.name
        assert one["error"] is None
        assert one["usage"]["output_tokens"] == len(document.REPLY)
        assert one["model"]["provider"] == lane.provider


@pytest.mark.parametrize(
    "claim",
    [claim for claims in CLAIMS.values() for claim in claims],
    ids=lambda claim: f"{claim.file}-{claim.words}",
)
def test_what_is_claimed_has_its_test(claim: Claim) -> None:
    assert claim.holds


def test_claims_are_about_providers_there_are() -> None:
    assert set(CLAIMS) <= {(lane.provider, lane.dialect) for lane in lanes()}


def test_a_claim_without_its_test_is_not_made() -> None:
    assert not Claim("x", "conformance/test_nothing.py", "x").holds
    assert not Claim("x", "matrix/test_documents.py", "no such " + "words").holds


def test_every_provider_is_shown_with_its_proof() -> None:
    text = (DOCS / "providers.md").read_text(encoding="utf-8")

    for provider in cards():
        assert re.search(rf"^\| \[{provider}\]\(#", text, re.MULTILINE), provider
        assert live(provider) == "by nobody yet" or "recorded on" in live(provider)
    assert all(list(shown(lane)) for lane in lanes())


def test_links_within_lead_somewhere() -> None:
    text = (DOCS / "providers.md").read_text(encoding="utf-8")
    headings = {providers.anchor(card) for card in providers.cards()}

    assert set(re.findall(r"\]\(#([^)]*)\)", text)) == headings

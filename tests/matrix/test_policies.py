"""The table of policies: what may pass does, nothing else leaves, and the text is up to date."""

from collections.abc import Iterator, Mapping

import pytest

from tests.generated import in_english
from tests.matrix import policies
from tests.matrix.__main__ import DOCS
from tests.matrix.policies import ASKERS, RULES, Came

FOUND = Mapping[tuple[str, str], Came]
ALL = {one.name for one in ASKERS}
SILENT, ATTESTED, YANDEX, FREE, PAID, OPENAI, LOCAL = (one.name for one in ASKERS)
# Who may answer, by what the terms of each say (docs/privacy.md), not by what llmctl says.
MAY = {
    "(none)": ALL,
    "--privacy may-train": ALL - {SILENT},
    "--privacy no-training": {ATTESTED, YANDEX, PAID, OPENAI, LOCAL},
    "--privacy zero-retention": {YANDEX, LOCAL},
    "--privacy network": {LOCAL},
    "--local-only": {LOCAL},
    "--require no-training": {ATTESTED, YANDEX, PAID, OPENAI, LOCAL},
    "--require region=RU": {ATTESTED, YANDEX, LOCAL},
    "--require max-retention=30": {YANDEX, OPENAI, LOCAL},
    "--require no-human-review": {LOCAL},
    "--require open-weights": {LOCAL},
    "--require region=RU,max-retention=30,no-training,open-weights": {LOCAL},
    "--allow-logging --privacy no-training": {ATTESTED, PAID, OPENAI, LOCAL},
    'unknown = "deny"': ALL - {SILENT},
    'human_review = "flagged"': {PAID, OPENAI, LOCAL},
    'deny = ["gemini", "openai"]': {SILENT, ATTESTED, YANDEX, LOCAL},
    'allow = ["yandexgpt", "llamacpp"]': {YANDEX, LOCAL},
    'pii_regions = ["RU"]': {ATTESTED, YANDEX, LOCAL},
    'pii_regions = ["RU"], --redact': ALL,
    'pii = "local-only"': {LOCAL},
    'pii = "block"': set(),
}


@pytest.fixture(scope="module")
def found() -> Iterator[FOUND]:
    with in_english():
        yield policies.everything()


def test_who_may_answer_does_and_nobody_else(found: FOUND) -> None:
    assert MAY.keys() == {rule.says for rule in RULES}
    for rule, may in MAY.items():
        assert {name for name in ALL if found[rule, name].refusal is None} == may, rule


def test_a_refused_prompt_makes_no_request_at_all(found: FOUND) -> None:
    refused = [one for one in found.values() if one.refusal is not None]

    assert len(refused) > len(RULES)
    assert {one.requests for one in refused} == {0}


def test_an_allowed_prompt_makes_one(found: FOUND) -> None:
    assert {one.calls for one in found.values() if one.refusal is None} == {1}


def test_a_refusal_names_its_rules_and_a_way_on(found: FOUND) -> None:
    for one in found.values():
        if one.refusal is not None:
            assert policies.rules_of(one.refusal)
            assert one.refusal.exit_code == 4
            assert one.refusal.hint


def test_the_table_is_written(found: FOUND) -> None:
    written = (DOCS / "privacy-table.md").read_text(encoding="utf-8")

    assert policies.written(found) == written, "run: python -m tests.matrix"

"""What is found out before the first run, so that nothing of it is measured as a model's time."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.compare_clearing import Clearing
from llmctl.compare.running import Entrant
from llmctl.compare.shape import Case
from llmctl.engine import clearance
from llmctl.engine.resolve import resolve
from llmctl.errors import PrivacyRefused
from llmctl.privacy.screening import screen
from llmctl.types import Call, Chat, Role, message

MAIL = "anna@example.org"
CASES = (Case(id="1", text=f"Write to {MAIL}"), Case(id="2", text="Why?"))


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-" + "0" * 40)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were searched."""
    found: list[str] = []

    def noted(call: Call, *given: Any, **named: Any) -> Any:
        assert isinstance(call, Chat)
        found.append(call.messages[-1].text)
        return screen(call, *given, **named)

    monkeypatch.setattr(clearance, "screen", noted)
    return found


def entrants(loaded: settings.Loaded, *names: str) -> list[Entrant]:
    made = []
    for place, name in enumerate(names):
        route = resolve(name, loaded)

        def call(case: Case, model: str = route.model) -> Call:
            return Chat(model=model, messages=(message(Role.USER, case.text),))

        made.append(Entrant(candidate=place, route=route, call=call))
    return made


def test_a_text_is_searched_once_for_all_models_and_runs(searched: list[str]) -> None:
    loaded = settings.load({"policy.pii": "redact", "policy.secrets": "redact"}, None, {})
    field = entrants(loaded, "openai/gpt-6-luna", "anthropic/claude-haiku-5-5")
    clearing = Clearing(loaded, "compare-1")

    clearing.look(field, CASES, quiet=True)
    assert searched == [one.text for one in CASES]
    for _repeat in range(3):
        for entrant in field:
            ready = clearing(entrant, CASES[0])
            assert isinstance(ready.call, Chat)
            assert ready.call.model == entrant.route.model
            assert ready.call.messages[-1].text == "Write to [EMAIL_1]"
            restorer = ready.screened.restorer()
            assert restorer is not None
            assert restorer.text("[EMAIL_1]") == MAIL
    assert searched == [one.text for one in CASES]


def test_what_policy_holds_back_is_refused_at_every_run(searched: list[str]) -> None:
    loaded = settings.load({"policy.pii": "block"}, None, {})
    (entrant,) = entrants(loaded, "openai/gpt-6-luna")
    clearing = Clearing(loaded, "compare-1")

    clearing.look([entrant], CASES, quiet=True)
    for _repeat in range(2):
        with pytest.raises(PrivacyRefused):
            clearing(entrant, CASES[0])
    assert clearing(entrant, CASES[1]).call is not None
    assert len(searched) == 2

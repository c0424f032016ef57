"""Verdicts that are given once for all calls of a kind, and anew for any other."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.engine import vetting
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.engine.vetted_before import outline
from llmctl.privacy.policy import judge
from llmctl.privacy.screening import Screened
from llmctl.settings import Loaded
from llmctl.types import Chat, Media, Role, Text, message
from llmctl.values import replace

MODEL = "openai/gpt-6-luna"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loaded:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "0" * 24)
    return settings.load()


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was really judged, not only remembered."""
    seen: list[Any] = []

    def judged_anew(*args: Any, **named: Any) -> Any:
        seen.append(named["sent"])
        return judge(*args, **named)

    monkeypatch.setattr(vetting, "judge", judged_anew)
    return seen


def vet(route: Route, loaded: Loaded, call: Chat, **left: int) -> Route:
    return vetting.vetted(route, Screened(call=call, before=call, left=left), loaded)


def said(route: Route, text: str, **more: Any) -> Chat:
    return Chat(route.model, (message(Role.USER, text),), **more)


def test_texts_alone_make_no_difference(loaded: Loaded, judged: list[Any]) -> None:
    route = resolve(MODEL, loaded)

    first = vet(route, loaded, said(route, "one"))
    second = vet(route, loaded, said(route, "quite another"))

    assert second is first
    assert len(judged) == 1


def test_everything_else_does(loaded: Loaded, judged: list[Any]) -> None:
    route = resolve(MODEL, loaded)
    plain = said(route, "one")
    picture = Media("image/png", data=b"\x89PNG")
    parts = (Text("one"), picture)
    calls = [
        plain,
        replace(plain, options={"store": True}),
        replace(plain, options={"store": False}),
        replace(plain, max_tokens=5),
        replace(plain, messages=(message(Role.SYSTEM, "brief"), *plain.messages)),
        replace(plain, messages=(replace(plain.messages[0], parts=parts),)),
    ]

    for call in calls:
        vet(route, loaded, call)
    vet(route, loaded, plain, email=1)

    # `store: false` is what llmctl sends anyway, so the third call is of the first one's kind.
    assert len(judged) == len(calls) - 1 + 1
    # Each has its own again, also when asked a second time.
    assert [vet(route, loaded, call).verdict.controls for call in calls[:3]] == [
        ("store=false",), (), ("store=false",),
    ]  # fmt: skip
    assert len(judged) == len(calls)


def test_other_settings_are_other_verdicts(loaded: Loaded, judged: list[Any]) -> None:
    route = resolve(MODEL, loaded)
    vet(route, loaded, said(route, "one"))
    vet(route, settings.load(), said(route, "one"))

    assert len(judged) == 2


def test_an_outline_has_everything_but_texts() -> None:
    one = [{"role": "user", "content": "hi", "n": 1, "flag": True, "none": None}]
    other = [{"role": "user", "content": "ho", "n": 1, "flag": True, "none": None}]

    assert outline(one) == outline(other)
    for changed in ({**one[0], "n": 2}, {**one[0], "flag": None}, {**one[0], "file_id": "x"}):
        assert outline([changed]) != outline(one)
    with pytest.raises(TypeError):
        outline([b"bytes"])

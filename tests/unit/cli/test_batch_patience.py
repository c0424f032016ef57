"""Whose patience a session keeps."""

from types import SimpleNamespace
from typing import Any

from llmctl.cli.batch_session import Session
from tests.unit.batch.lanes import route


def test_patience_is_by_model_and_not_by_account() -> None:
    session: Any = SimpleNamespace(
        _patience={}, _prepared=SimpleNamespace(asked=SimpleNamespace(give_up=20.0))
    )
    one, same, other = (Session._give_up(session, route(of)) for of in ("a/m", "a/m", "a/x"))

    assert one is same
    assert other is not one
    assert other.after_s == 20

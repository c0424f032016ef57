"""Hints for flags that were given something else: an example that fits, whatever the command."""

import shlex
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.asked import Asked
from llmctl.errors import UsageError
from llmctl.settings.examples import EXAMPLES, example_hint


@pytest.mark.parametrize("flag", EXAMPLES)
def test_an_example_is_taken(flag: str) -> None:
    [value] = shlex.split(EXAMPLES[flag])
    name = flag.removeprefix("--").replace("-", "_")
    given: dict[str, Any] = {name: float(value) if "timeout" in flag else value}
    asked = Asked(**given)

    asked.check()

    loaded = settings.load(asked.settings_flags(), None, asked.spelt())
    assert any(origin.place == flag for origin in loaded.origins.values())


def test_an_amount_without_a_currency() -> None:
    asked = Asked(max_cost="5")
    with pytest.raises(UsageError) as caught:
        settings.load(asked.settings_flags(), None, asked.spelt())

    assert caught.value.hint == 'such as: --max-cost "0.50 USD"'
    assert caught.value.exit_code == 2


def test_an_empty_guard() -> None:
    with pytest.raises(UsageError) as caught:
        Asked(require=" ,").check()

    assert caught.value.hint == "such as: --require region=RU,no-training"


def test_any_other_flag() -> None:
    assert example_hint("--local-only") == "see what it takes: llmctl ask --help"

"""Templates that are filled from the columns of a row."""

from typing import Any

import pytest

from llmctl.errors import UsageError
from llmctl.templates import Template


def asked(prompt: str, columns: dict[str, Any], column: str | None = None) -> str:
    """What is asked of a row whose text stands in `column`."""
    given = None if column is None else columns[column]
    template = Template(name="t", prompt=prompt)
    return template.render({}, given, columns=columns, column=column).messages[-1].text


ROW = {"text": "Long.", "title": "T", "n": 3}


def test_the_text_comes_after_a_template_that_does_not_use_it() -> None:
    assert asked("Sum up {{ title }}.", ROW, "text") == "Sum up T.\n\nLong."


@pytest.mark.parametrize("prompt", ["Sum up {{ text }}", "Sum up {{ input }}"])
def test_but_not_once_more_where_it_does(prompt: str) -> None:
    assert asked(prompt, ROW, "text") == "Sum up Long."


def test_another_column_than_that_of_the_text_does_not_use_it() -> None:
    assert asked("{{ n }}:", {"text": "3", "n": 3}, "text") == "3:\n\n3"


def test_a_row_without_a_text_has_its_columns_alone() -> None:
    assert asked("Sum up {{ title }} {{ n }}", ROW) == "Sum up T 3"


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="author"):
        asked("By {{ author }}: {{ text }}", ROW, "text")


def test_values_come_before_columns_of_their_name() -> None:
    template = Template(name="t", prompt="{{ title }}: {{ text }}")
    found = template.render({"title": "Mine"}, "Long.", columns=ROW, column="text")

    assert found.messages[-1].text == "Mine: Long."

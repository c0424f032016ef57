import pytest

from llmctl.output.columns import cells


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("Привет", 6),
        ("日本", 4),
        ("ｆｕｌｌ", 8),
        ("e\u0301", 1),
        ("😀", 2),
        ("a\u200db", 2),
    ],
)
def test_columns_of_a_terminal(text: str, columns: int) -> None:
    assert cells(text) == columns

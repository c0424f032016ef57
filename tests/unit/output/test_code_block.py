import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.output.code_block import first_code_block


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Here:\n```python\nprint(1)\n```\nDone.", "print(1)\n"),
        ("~~~\na\n```\nb\n~~~", "a\n```\nb\n"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```\n"),
        ("```\nfirst\n```\n```\nsecond\n```", "first\n"),
        ("  ```\n  a\n    b\n c\n  ```", "a\n  b\nc\n"),
        ('``` js title="x"\na\n```   ', "a\n"),
        ("```\r\na\r\nb\r\n```\r\n", "a\r\nb\r\n"),
        ("```\n```", ""),
        ("```\n\n\n```", "\n\n"),
        ("```\n``\n    ```\n``` x\n```", "``\n    ```\n``` x\n"),
        ("```\nnever closed\n", "never closed\n"),
        ("```\nnever closed", "never closed\n"),
        ("text\n```sh\nls\n````", "ls\n"),
        ("~~~ a ``` b\nx\n~~~", "x\n"),
        ("```\na\u2028b\n```", "a\u2028b\n"),
    ],
)
def test_the_first_fenced_block(text: str, code: str) -> None:
    assert first_code_block(text) == code


@pytest.mark.parametrize(
    "text",
    ["", "no code", "``x``", "```x```", "``` a`b\nc", "    ```\nx\n    ```", "a ```\nb\n```x`"],
)
def test_text_without_one(text: str) -> None:
    assert first_code_block(text) is None


code_lines = st.lists(st.text(st.characters(exclude_characters="\n`~\r"), max_size=20))


@given(
    before=st.lists(st.text(st.characters(exclude_characters="\n`~\r"))),
    lines=code_lines,
    fence=st.sampled_from(["```", "~~~", "`````"]),
    info=st.sampled_from(["", "python", " c++ {1}"]),
    after=st.text(),
)
def test_what_was_fenced_comes_back(
    before: list[str], lines: list[str], fence: str, info: str, after: str
) -> None:
    body = "".join(line + "\n" for line in lines)
    text = "\n".join([*before, f"{fence}{info}\n{body}{fence}", after])

    assert first_code_block(text) == body

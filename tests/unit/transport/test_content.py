"""Bodies with files in them: what is sent is what would be sent if the files were held whole."""

import asyncio
import json
import os
from base64 import b64encode
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import pytest

from llmctl.dialects import FilePart
from llmctl.dialects.media import FileText, base64_of, data_url
from llmctl.errors import UsageError
from llmctl.transport.content import BLOCK, Content, content_of_file, content_of_json
from llmctl.transport.exchange import encoded
from llmctl.types import Json, Media

SIZES = [0, 1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 2]


def read(content: Content) -> bytes:
    async def main() -> bytes:
        return b"".join([piece async for piece in content])

    return asyncio.run(main())


def file(folder: Path, data: bytes, kind: str = "image/png", name: str = "a.png") -> Media:
    path = folder / name
    path.write_bytes(data)
    return Media(kind, path=str(path), size=len(data), name=name)


def streamed(body: dict[str, Json]) -> bytes:
    content = content_of_json(body)
    assert isinstance(content, Content)
    sent = read(content)
    assert len(sent) == content.size
    return sent


# ---- JSON


@pytest.mark.parametrize("size", SIZES)
def test_a_file_in_json_is_its_base64_byte_by_byte(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    held = b64encode(data).decode()
    body = {"a": 'é\u2028"', "parts": [{"data": base64_of(file(tmp_path, data))}], "n": 1.5}

    expected = {**body, "parts": [{"data": held}]}
    assert streamed(body) == json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8"
    )


def test_several_files_stand_where_they_belong(tmp_path: Path) -> None:
    first, second = file(tmp_path, b"one", name="1"), file(tmp_path, b"two!", name="2")
    body = {"x": data_url(first), "list": [base64_of(second), "between", base64_of(first)]}

    assert json.loads(streamed(body)) == {
        "x": "data:image/png;base64,b25l",
        "list": ["dHdvIQ==", "between", "b25l"],
    }


def test_a_prefix_is_escaped_as_json_has_it(tmp_path: Path) -> None:
    one = FileText(file(tmp_path, b"abc"), 'п"\n')

    assert streamed({"x": one}) == '{"x":"п\\"\\nYWJj"}'.encode()


def test_what_is_held_is_no_stream() -> None:
    assert encoded({"x": data_url(Media("image/png", b"abc"))}) == (
        b'{"x":"data:image/png;base64,YWJj"}'
    )


def test_half_a_character_beside_a_file_is_told_as_without(tmp_path: Path) -> None:
    body = {"prompt": "\ud83d", "file": base64_of(file(tmp_path, b"abc"))}

    with pytest.raises(UsageError, match="half a character"):
        encoded(body)
    with pytest.raises(UsageError, match="NaN or Infinity"):
        encoded({"file": base64_of(file(tmp_path, b"abc")), "x": float("nan")})


# ---- forms and bodies


def parts(content: Content) -> list[EmailMessage]:
    """The form as the standard library's reader of mail has it."""
    sent = read(content)
    assert len(sent) == content.size
    head = f"Content-Type: {content.media_type}\r\n\r\n".encode()
    parsed = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + sent)
    found = list(parsed.iter_parts())
    assert all(not one.defects for one in found)
    return [one for one in found if isinstance(one, EmailMessage)]


@pytest.mark.parametrize("size", SIZES)
def test_a_form(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    given = file(tmp_path, data, "application/pdf", "отчёт 1.pdf")
    purpose, sent = parts(content_of_file(FilePart(given, {"purpose": "general"})))

    assert purpose.get_param("name", header="content-disposition") == "purpose"
    assert purpose.get_payload(decode=True) == b"general"
    assert sent.get_param("name", header="content-disposition") == "file"
    assert sent.get_content_type() == "application/pdf"
    assert sent.get_payload(decode=True) == data


def test_a_name_cannot_leave_its_quotes() -> None:
    """As browsers write it (WHATWG, multipart/form-data encoding algorithm)."""
    given = Media("image/png", b"x", name='a"\r\nX-Evil: 1.png')
    [sent] = parts(content_of_file(FilePart(given, {})))

    assert sent["x-evil"] is None
    assert sent.get_filename() == "a%22%0D%0AX-Evil: 1.png"


def test_folders_that_tell_files_apart_are_not_dropped_by_who_takes_the_form() -> None:
    """Receivers keep the last part of a path alone (RFC 7578, 4.2)."""
    [sent] = parts(content_of_file(FilePart(Media("image/png", b"x", name="old/a.png"), {})))

    assert sent.get_filename() == "old_a.png"


def test_a_kind_that_is_none_does_not_get_into_headers() -> None:
    given = Media("image/png\r\nX-Evil: 1", b"x")
    content = content_of_file(FilePart(given))

    assert content.media_type == "application/octet-stream"
    assert b"Evil" not in read(content_of_file(FilePart(given, {})))


def test_a_boundary_is_new_each_time() -> None:
    given = FilePart(Media("image/png", b"x"), {"a": "b"})

    assert content_of_file(given).media_type != content_of_file(given).media_type


def test_a_file_alone_is_the_body(tmp_path: Path) -> None:
    given = file(tmp_path, b"abc", "video/mp4")
    content = content_of_file(FilePart(given))

    assert (content.media_type, content.size, read(content)) == ("video/mp4", 3, b"abc")


# ---- reading


def test_it_is_read_again_each_time(tmp_path: Path) -> None:
    content = content_of_file(FilePart(file(tmp_path, b"abc")))

    assert read(content) == read(content) == b"abc"


def test_it_is_told_how_much_was_read(tmp_path: Path) -> None:
    told: list[int] = []
    content = content_of_file(FilePart(file(tmp_path, bytes(2 * BLOCK + 5))), told.append)

    read(content)

    assert told == [BLOCK, 2 * BLOCK, 2 * BLOCK + 5]


@pytest.mark.parametrize("size", [10, BLOCK, 3 * BLOCK])
@pytest.mark.parametrize("change", [-1, 1, 2 * BLOCK])
def test_a_file_that_has_changed_never_goes_out_whole(
    tmp_path: Path, size: int, change: int
) -> None:
    given = file(tmp_path, bytes(size))
    Path(str(given.path)).write_bytes(bytes(size + change))
    content = content_of_file(FilePart(given))
    sent = 0

    async def main() -> None:
        nonlocal sent
        async for piece in content:
            sent += len(piece)

    with pytest.raises(UsageError, match="changed while it was sent"):
        asyncio.run(main())
    assert sent < size


def test_a_file_that_has_gone(tmp_path: Path) -> None:
    given = file(tmp_path, b"abc")
    Path(str(given.path)).unlink()

    with pytest.raises(UsageError, match=r"cannot read .*No such file"):
        read(content_of_file(FilePart(given)))

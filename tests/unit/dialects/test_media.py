"""Files in requests: the form of each format, the same for a file that is held and for one that is
read while it is sent."""

from base64 import b64encode
from typing import Any

import pytest

from llmctl.dialects import DIALECTS
from llmctl.dialects.media import LARGE, FileText, base64_of
from llmctl.errors import UsageError
from llmctl.types import Chat, Json, Media, Message, Quirks, Role, Text

DATA = b"\x89PNG\x00\xff"
B64 = b64encode(DATA).decode()

IMAGE, SOUND, SONG = "image/png", "audio/wav", "audio/mpeg"
PDF, FILM, TABLE = "application/pdf", "video/mp4", "text/csv"

# (format, kind, the part of the request that is made of it), by the reference of each.
FORMS: list[tuple[str, str, Json]] = [
    ("openai_chat", IMAGE,
     {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{B64}"}}),
    ("openai_chat", SOUND,
     {"type": "input_audio", "input_audio": {"data": B64, "format": "wav"}}),
    ("openai_chat", SONG,
     {"type": "input_audio", "input_audio": {"data": B64, "format": "mp3"}}),
    ("openai_chat", PDF,
     {"type": "file",
      "file": {"filename": "x", "file_data": f"data:application/pdf;base64,{B64}"}}),
    ("huggingface", IMAGE,
     {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{B64}"}}),
    ("openai_responses", IMAGE,
     {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{B64}"}),
    ("openai_responses", PDF,
     {"type": "input_file", "filename": "x", "file_data": f"data:application/pdf;base64,{B64}"}),
    ("anthropic", IMAGE,
     {"type": "image",
      "source": {"type": "base64", "media_type": "image/png", "data": B64}}),
    ("anthropic", PDF,
     {"type": "document", "title": "x",
      "source": {"type": "base64", "media_type": "application/pdf", "data": B64}}),
    *(("gemini", kind, {"inlineData": {"mimeType": kind, "data": B64}})
      for kind in (IMAGE, SOUND, SONG, PDF, FILM)),
    ("ollama", IMAGE, B64),
]  # fmt: skip


def part(dialect: str, file: Media) -> Json:
    """The part of a request that a file becomes."""
    call = Chat("m", (Message(Role.USER, (Text("See:"), file)),), stream=False)
    body = DIALECTS[dialect]().encode(call, Quirks()).body
    assert body is not None
    match dialect:
        case "gemini":
            return body["contents"][0]["parts"][1]
        case "openai_responses":
            return body["input"][0]["content"][1]
        case "ollama":
            return body["messages"][0]["images"][0]
        case _:
            return body["messages"][0]["content"][1]


def filled(value: Json) -> Json:
    """With the text of files in the place of the mark for them, as the transport does it."""
    if isinstance(value, FileText):
        assert value.file.path == "/files/x"
        return value.prefix + B64
    return {key: filled(one) for key, one in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(("dialect", "kind", "expected"), FORMS)
def test_a_file_that_is_held(dialect: str, kind: str, expected: Json) -> None:
    assert part(dialect, Media(kind, DATA, name="x")) == expected


@pytest.mark.parametrize(("dialect", "kind", "expected"), FORMS)
def test_a_file_that_is_read_while_it_is_sent(dialect: str, kind: str, expected: Json) -> None:
    made = part(dialect, Media(kind, path="/files/x", size=len(DATA), name="x"))

    assert made != expected  # the bytes are not in it
    assert filled(made) == expected


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [
        *(("openai_chat", kind) for kind in (FILM, TABLE, "audio/ogg", "application/zip")),
        *(("huggingface", kind) for kind in (FILM, TABLE)),
        *(("openai_responses", kind) for kind in (FILM, SOUND)),
        *(("anthropic", kind) for kind in (FILM, SOUND, "application/zip")),
        *(("ollama", kind) for kind in (FILM, SOUND, PDF)),
    ],
)
@pytest.mark.parametrize("where", [{"data": DATA}, {"path": "/files/x", "size": 6},
                                   {"url": "https://a.test/x"}])  # fmt: skip
def test_what_a_format_has_no_word_for_is_named(
    dialect: str, kind: str, where: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=f"no place for {kind}") as caught:
        part(dialect, Media(kind, **where))

    assert "-m" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [("openai_chat", PDF), ("openai_chat", SOUND), ("ollama", IMAGE), ("gigachat", IMAGE),
     ("gigachat_v2", PDF)],
)  # fmt: skip
def test_where_an_address_is_not_taken_it_can_be_fetched(dialect: str, kind: str) -> None:
    with pytest.raises(UsageError, match=f"no {kind} by URL") as caught:
        part(dialect, Media(kind, url="https://a.test/x"))

    assert "--fetch" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("dialect", "kind", "expected"),
    [
        ("openai_chat", IMAGE, {"type": "image_url", "image_url": {"url": "https://a.test/x"}}),
        ("openai_responses", IMAGE,
         {"type": "input_image", "detail": "auto", "image_url": "https://a.test/x"}),
        ("openai_responses", PDF, {"type": "input_file", "file_url": "https://a.test/x"}),
        ("anthropic", IMAGE,
         {"type": "image", "source": {"type": "url", "url": "https://a.test/x"}}),
        ("anthropic", PDF,
         {"type": "document", "source": {"type": "url", "url": "https://a.test/x"}}),
        ("gemini", FILM, {"fileData": {"mimeType": FILM, "fileUri": "https://a.test/x"}}),
    ],
)  # fmt: skip
def test_an_address_is_passed_on(dialect: str, kind: str, expected: Json) -> None:
    assert part(dialect, Media(kind, url="https://a.test/x")) == expected


def test_yandexs_own_models_name_those_that_see() -> None:
    with pytest.raises(UsageError, match="text only") as caught:
        part("yandexgpt", Media(IMAGE, DATA))

    assert "gemma-3-27b-it" in str(caught.value.hint)


@pytest.mark.parametrize("dialect", sorted({*DIALECTS} - {"gemini", "gigachat", "gigachat_v2"}))
def test_formats_without_uploads_want_none(dialect: str) -> None:
    made = DIALECTS[dialect]()
    file = Media(IMAGE, path="/files/x", size=10**9)
    call = Chat("m", (Message(Role.USER, (file,)),))

    assert made.to_upload(call, Quirks(inline_bytes=1)) == ()
    assert made.upload(file, Quirks()) is None
    assert made.deletion("x") is None


def test_what_is_large_is_not_made_into_text_before_it_is_sent() -> None:
    large = Media("image/png", b"x" * (LARGE + 1), name="x")

    assert base64_of(large) == FileText(large)
    assert str(base64_of(large, "data:,")) == f"data:,<base64 of x, {LARGE + 1} bytes>"
    assert base64_of(Media("image/png", b"x" * LARGE)) == b64encode(b"x" * LARGE).decode()

"""Uploads step by step: Gemini's Files API and GigaChat's store, as their references have them."""

import json
from typing import Any

import pytest

from llmctl.dialects import DIALECTS, Frame, HttpCall, Upload
from llmctl.errors import LlmctlError, ProviderFailed, Rejected
from llmctl.types import Chat, Count, Media, Message, Part, Quirks, Role, Text

FILM = Media("video/mp4", path="/files/film.mp4", size=30_000, name="film.mp4")
PICTURE = Media("image/png", b"abc", name="a.png")
PAPER = Media("application/pdf", b"%PDF", name="a.pdf")
ADDRESS = "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=1"


def user(*parts: Part) -> Chat:
    return Chat("m", (Message(Role.USER, parts),), stream=False)


def begun(dialect: str, file: Media) -> Upload:
    upload = DIALECTS[dialect]().upload(file, Quirks())
    assert upload is not None
    return upload


def asks(upload: Upload) -> HttpCall:
    assert upload.then is not None
    return upload.then.http


def answer(upload: Upload, document: Any = None, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    upload.read(named, Frame("" if document is None else json.dumps(document)))


def described(state: str | None = "ACTIVE", **other: Any) -> dict[str, Any]:
    told = {"name": "files/abc-1", "uri": "https://x.test/v1beta/files/abc-1", "state": state}
    return {**told, "mimeType": "video/mp4", **other}


def waiting(upload: Upload) -> float:
    assert upload.then is not None
    return upload.then.after_s


# ---- Gemini


def gemini_sent() -> Upload:
    """Up to the moment when the bytes are there."""
    upload = begun("gemini", FILM)
    answer(upload, x_goog_upload_url=ADDRESS)
    return upload


def test_gemini_is_told_what_comes() -> None:
    http = asks(begun("gemini", FILM))

    assert (http.method, http.path) == ("POST", "upload/v1beta/files")
    assert http.body == {"file": {"displayName": "film.mp4"}}
    assert http.headers == {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "30000",
        "X-Goog-Upload-Header-Content-Type": "video/mp4",
    }


def test_then_the_bytes_go_to_the_address_that_it_names() -> None:
    http = asks(gemini_sent())

    assert (http.method, http.path, http.body) == ("POST", ADDRESS, None)
    assert http.headers == {
        "X-Goog-Upload-Offset": "0",
        "X-Goog-Upload-Command": "upload, finalize",
    }
    assert http.file is not None
    assert (http.file.file, http.file.fields) == (FILM, None)


def test_what_is_ready_at_once() -> None:
    upload = gemini_sent()
    answer(upload, {"file": described()})

    assert (upload.then, upload.name) == (None, "files/abc-1")
    assert upload.file == Media(
        "video/mp4", name="film.mp4", ref="https://x.test/v1beta/files/abc-1"
    )


def test_what_is_still_read_is_asked_after_ever_more_rarely() -> None:
    upload = gemini_sent()
    answer(upload, {"file": described("PROCESSING", uri=None)})
    waits = []
    for _look in range(12):
        assert (asks(upload).method, asks(upload).path) == ("GET", "v1beta/files/abc-1")
        waits.append(waiting(upload))
        answer(upload, described("PROCESSING"))

    assert waits[:3] == [0.5, 0.75, 1.125]
    assert waits[-1] == 10.0
    answer(upload, described())
    assert upload.then is None
    assert upload.file is not None


def test_what_it_cannot_make_use_of() -> None:
    upload = gemini_sent()
    answer(upload, {"file": described("PROCESSING")})
    with pytest.raises(Rejected, match=r"film\.mp4: no video track") as caught:
        answer(upload, described("FAILED", error={"code": 3, "message": "no video track"}))

    assert caught.value.reason == "file"
    assert upload.name == "files/abc-1"  # by which it is deleted


@pytest.mark.parametrize(
    "document",
    [{}, [], "x", None, {"file": {}}, {"file": {"name": "files/../models/x"}},
     {"file": {"name": "files/.."}}, {"file": {"name": "x"}}, {"file": {"name": 7}},
     {"file": described(uri=None)}, {"file": described(uri=7)}],
)  # fmt: skip
def test_an_answer_that_is_none(document: Any) -> None:
    upload = gemini_sent()
    with pytest.raises(ProviderFailed) as caught:
        answer(upload, document)

    assert not caught.value.retryable or caught.value.reason == "not-json"


def test_an_upload_without_an_address() -> None:
    upload = begun("gemini", FILM)
    with pytest.raises(ProviderFailed, match="no address") as caught:
        answer(upload)

    assert not caught.value.retryable


def test_how_a_file_of_gemini_is_deleted() -> None:
    assert DIALECTS["gemini"]().deletion("files/abc-1") == HttpCall("DELETE", "v1beta/files/abc-1")


# ---- what goes that way at Gemini


@pytest.mark.parametrize(
    ("limit", "apart"),
    [
        (None, ()),
        (40_004, ()),  # base64 of 30,000 bytes is 40,000 long, that of three 4
        (40_003, (FILM,)),
        (4, (FILM,)),
        (3, (PICTURE, FILM)),  # in the order of the call
    ],
)
def test_the_largest_files_go_before_the_request(
    limit: int | None, apart: tuple[Media, ...]
) -> None:
    call = user(Text("?"), PICTURE, FILM)

    assert DIALECTS["gemini"]().to_upload(call, Quirks(inline_bytes=limit)) == apart


def test_they_stand_in_the_request_before_they_are_there() -> None:
    """So that what is said of uploaded files is seen when the request is judged."""
    dialect, quirks = DIALECTS["gemini"](), Quirks(inline_bytes=10)
    body = dialect.encode(user(PICTURE, FILM), quirks).body
    assert body is not None

    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "YWJj"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "files/pending"}},
    ]


def test_what_is_there_already_is_not_uploaded_again() -> None:
    there = Media("video/mp4", ref="https://x.test/v1beta/files/abc")
    elsewhere = Media("video/mp4", url="https://a.test/film.mp4")
    dialect, quirks = DIALECTS["gemini"](), Quirks(inline_bytes=0)
    call = user(there, elsewhere)

    assert dialect.to_upload(call, quirks) == ()
    body = dialect.encode(call, quirks).body
    assert body is not None
    uris = [part["fileData"]["fileUri"] for part in body["contents"][0]["parts"]]
    assert uris == ["https://x.test/v1beta/files/abc", "https://a.test/film.mp4"]


def test_a_count_of_tokens_uploads_nothing() -> None:
    count = Count("m", (Message(Role.USER, (FILM,)),))

    assert DIALECTS["gemini"]().to_upload(count, Quirks(inline_bytes=1)) == ()


def test_a_file_that_is_attached_twice_is_uploaded_once() -> None:
    for dialect in ("gemini", "gigachat"):
        made = DIALECTS[dialect]().to_upload(user(FILM, Text("and"), FILM), Quirks(inline_bytes=1))
        assert made == (FILM,)


# ---- GigaChat


@pytest.mark.parametrize("dialect", ["gigachat", "gigachat_v2"])
def test_gigachat_gets_a_form(dialect: str) -> None:
    http = asks(begun(dialect, PICTURE))

    assert (http.method, http.path, http.body) == ("POST", "files", None)
    assert http.file is not None
    assert (http.file.file, http.file.field) == (PICTURE, "file")
    assert http.file.fields == {"purpose": "general"}


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("audio/mpeg", "audio/mp3"),
        ("application/epub+zip", "application/epub"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_kinds_are_called_as_its_store_calls_them(kind: str, sent: str) -> None:
    http = asks(begun("gigachat", Media(kind, b"x", name="x")))

    assert http.file is not None
    assert http.file.file.media_type == sent


def test_the_id_is_what_a_message_names() -> None:
    upload = begun("gigachat", PICTURE)
    answer(upload, {"id": "c757a9c5-de04", "object": "file", "bytes": 3})

    assert (upload.then, upload.name) == (None, "c757a9c5-de04")
    assert upload.file == Media("image/png", name="a.png", ref="c757a9c5-de04")


@pytest.mark.parametrize("document", [{}, [], None, {"id": ""}, {"id": "../x"}, {"id": 7}])
def test_an_answer_without_an_id(document: Any) -> None:
    upload = begun("gigachat", PICTURE)
    with pytest.raises(LlmctlError):
        answer(upload, document)

    assert upload.name is None


def body(call: Chat, dialect: str = "gigachat") -> Any:
    return DIALECTS[dialect]().encode(call, Quirks()).body


def there(name: str, kind: str = "image/png") -> Media:
    return Media(kind, ref=name)


def test_files_beside_the_text_of_a_message() -> None:
    made = body(user(Text("Что "), there("a"), Text("это?"), PICTURE))

    assert made["messages"] == [
        {"role": "user", "content": "Что это?", "attachments": ["a", "pending"]}
    ]
    assert "function_call" not in made


def test_files_among_the_parts_of_the_second_version() -> None:
    made = body(user(there("a"), there("b"), Text("Что "), Text("это?"), PICTURE), "gigachat_v2")

    assert made["messages"][0]["content"] == [
        {"files": [{"id": "a"}, {"id": "b"}]},
        {"text": "Что это?"},
        {"files": [{"id": "pending"}]},
    ]


def test_documents_are_read_by_a_function_that_must_be_allowed() -> None:
    """developers.sber.ru: get_file_content is called with `function_call` "auto" only."""
    assert body(user(Text("О чём?"), PAPER))["function_call"] == "auto"
    own = Chat("m", user(PAPER).messages, stream=False, options={"function_call": "none"})
    assert body(own)["function_call"] == "none"


def test_how_a_file_of_gigachat_is_deleted() -> None:
    for dialect in ("gigachat", "gigachat_v2"):
        assert DIALECTS[dialect]().deletion("c757") == HttpCall("POST", "files/c757/delete")

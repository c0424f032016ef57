"""Files that a model does not take are refused before anything is sent, with a model that does."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.engine.attaching import fitting_files
from llmctl.engine.clearance import cleared
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import PrivacyRefused, UsageError
from llmctl.settings import Loaded
from llmctl.types import Chat, Level, Media, Message, Role, Text
from llmctl.values import replace
from tests.attachments import DOCX, docx, mp4, pdf, png, wav

KEYS = ("OPENAI_API_KEY", "GROQ_API_KEY", "YC_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY",
        "GIGACHAT_CREDENTIALS", "MISTRAL_API_KEY", "XAI_API_KEY", "OPENROUTER_API_KEY",
        "DEEPSEEK_API_KEY")  # fmt: skip
PNG = Media("image/png", data=png(), name="cat.png")
PDF = Media("application/pdf", data=pdf(), name="a.pdf")
WAV = Media("audio/wav", data=wav(), name="a.wav")
MP4 = Media("video/mp4", data=mp4(), name="a.mp4")
OFFICE = Media(DOCX, data=docx(), name="a.docx")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys of all providers but those that a test takes away."""
    for name in KEYS:
        monkeypatch.setenv(name, "x" * 24)
    monkeypatch.setenv("YC_FOLDER_ID", "b1gown")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "x" * 40)
    monkeypatch.chdir(tmp_path)
    # Facts get old, and then every level is one step worse.
    monkeypatch.setattr("llmctl.privacy.standing.utc_today", lambda: date(2026, 11, 25))


def with_files(model: str, *files: Media) -> Chat:
    return Chat(model, (Message(Role.USER, (*files, Text("What is it?"))),))


def fitted(
    name: str, *files: Media, flags: dict[str, Any] | None = None
) -> tuple[Route, Loaded, list[str]]:
    loaded = settings.load(flags or {})
    route = resolve(name, loaded, shown=True)
    notes = fitting_files(route, with_files(route.model, *files), loaded)
    return route, loaded, [one.code for one in notes]


def refusal(name: str, *files: Media, flags: dict[str, Any] | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        fitted(name, *files, flags=flags)
    assert caught.value.exit_code == 2
    return caught.value


def named(error: UsageError) -> list[str]:
    """The models that a hint names."""
    listed = str(error.hint).rpartition(": ")[2].split(", ")
    return [one.removeprefix("-m ") for one in listed]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("openai/gpt-6-luna", PNG), ("openai/gpt-6-luna", PDF),
        ("anthropic/claude-sonnet-5-5", PDF), ("gemini/gemini-4-argon", MP4),
        ("gemini/gemini-4-argon", WAV), ("gigachat/GigaChat-2-Max", OFFICE),
        ("yandexgpt/gemma-3-27b-it", PNG),
    ],
)  # fmt: skip
def test_what_a_model_takes_passes_without_a_word(name: str, file: Media) -> None:
    assert fitted(name, file)[2] == []


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("openai/gpt-3.5-turbo", PNG, "openai/gpt-3.5-turbo takes no image: cat.png"),
        ("openai/gpt-6-luna", MP4, "takes no video: a.mp4"),
        ("anthropic/claude-sonnet-5-5", WAV, "takes no audio: a.wav"),
        ("gemini/gemini-4-argon", OFFICE, "takes no office: a.docx"),
        ("yandexgpt/yandexgpt", PNG, "takes no image"),
        ("local/smollm2-135m", PNG, "takes no image"),
        ("local/./some.gguf", PNG, "takes no image"),
    ],
)
def test_what_it_does_not_take_is_refused(name: str, file: Media, said: str) -> None:
    error = refusal(name, PNG if file is not PNG and "gpt-6" in name else file, file)

    assert said in error.message


def test_a_model_of_the_same_provider_is_named_first_and_it_takes_the_file() -> None:
    for name, file in (("openai/gpt-3.5-turbo", PNG), ("yandexgpt/yandexgpt", PNG)):
        models = named(refusal(name, file))
        assert models[0].partition("/")[0] == name.partition("/")[0]
        for one in models:
            assert fitted(one, file)[2] == []


def test_one_whose_key_is_there_comes_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x" * 24)

    assert named(refusal("deepseek/deepseek-v4-pro", PDF))[0].startswith("anthropic/")


def test_only_models_that_policy_allows_are_named() -> None:
    models = named(refusal("deepseek/deepseek-v4-pro", PNG, flags={"policy.deny": ["openai"]}))
    assert models
    assert not [one for one in models if one.startswith("openai/")]

    # Video is for models of one provider alone.
    error = refusal("openai/gpt-6-luna", MP4, flags={"policy.deny": ["gemini"]})
    assert error.hint == "policy allows no model that is known to take video"
    error = refusal("openai/gpt-6-luna", replace(PNG, media_type="application/zip"))
    assert error.hint == "no model of any card is known to take archive"


HERE = {"policy.max_level": "device"}


def test_where_nothing_may_leave_servers_that_may_have_a_model_are_named() -> None:
    """Nothing is known of their models, but that their formats have a place for pictures."""
    error = refusal("local/smollm2-135m", PNG, flags=HERE)
    assert named(error) == ["llamacpp/MODEL", "lmstudio/MODEL", "ollama/MODEL"]
    assert str(error.hint).startswith("a server whose model takes image: ")

    # Their formats know no office files, and sound only that of OpenAI.
    hint = refusal("local/smollm2-135m", OFFICE, flags=HERE).hint
    assert hint == "policy allows no model that is known to take office"
    assert "ollama/MODEL" not in named(refusal("local/smollm2-135m", WAV, flags=HERE))


def test_what_cannot_be_searched_stays_here_in_a_hint_too() -> None:
    """Pictures do not leave under such a policy, so no model that is elsewhere helps."""
    error = refusal("local/smollm2-135m", PNG, flags={"policy.secrets": "block"})

    assert named(error) == ["llamacpp/MODEL", "lmstudio/MODEL", "ollama/MODEL"]


def test_a_model_that_a_limit_of_its_own_rules_out_is_not_named() -> None:
    def providers(*files: Media) -> set[str]:
        error = refusal("deepseek/deepseek-v4-pro", *files, flags={"policy.deny": ["openai"]})
        return {one.partition("/")[0] for one in named(error)}

    assert providers(PDF) == {"anthropic", "gemini", "gigachat"}
    assert providers(large(PDF, 24_000_003)) == {"gemini", "gigachat"}  # 32 MB of base64 are less
    assert providers(large(PDF, 40_000_001)) == {"gemini"}
    assert providers(PDF, PDF) == {"anthropic", "gemini"}  # one in a message to GigaChat
    by_address = replace(PDF, data=None, url="https://files.example/a.pdf")
    assert providers(by_address) == {"anthropic", "gemini"}


def test_of_a_type_of_no_kind_nothing_is_known() -> None:
    odd = Media("application/x-foo", data=b"x", name="a.foo")
    error = refusal("openai/gpt-6-luna", odd)

    assert str(error.hint).endswith("no model of any card is known to take application/x-foo")


# ---- formats


def picture(form: str) -> Media:
    return replace(PNG, media_type=f"image/{form}", name=f"cat.{form}")


@pytest.mark.parametrize(
    ("name", "taken", "others"),
    [
        ("openai/gpt-6-luna", "png jpeg webp gif", "heic heif avif tiff bmp"),
        ("anthropic/claude-sonnet-5-5", "png jpeg webp gif", "heic heif avif tiff bmp"),
        ("gemini/gemini-4-argon", "png jpeg webp heic heif", "gif avif tiff bmp"),
        ("gigachat/GigaChat-2-Max", "png jpeg tiff bmp", "gif webp heic heif avif"),
    ],
)
def test_a_format_that_is_not_taken_is_refused(name: str, taken: str, others: str) -> None:
    for form in taken.split():
        assert fitted(name, picture(form))[2] == []
    for form in others.split():
        error = refusal(name, PNG, picture(form)) if "giga" not in name else refusal(
            name, picture(form)
        )  # fmt: skip
        assert error.message == f"{name} takes no image/{form}: cat.{form}"
        said = str(error.hint).partition("; ")[0].removeprefix("of image it takes ")
        assert set(said.split(", ")) == {f"image/{one}" for one in taken.split()}


def test_a_format_has_models_that_take_it() -> None:
    assert named(refusal("openai/gpt-6-luna", picture("heic")))[0].startswith("gemini/")
    models = named(refusal("openai/gpt-6-luna", picture("tiff")))
    assert [one for one in models if one.startswith("gigachat/")]
    assert not [one for one in models if one.split("/")[0] in ("openai", "anthropic", "gemini")]
    for one in models:
        assert fitted(one, picture("tiff"))[2] == []


def test_a_format_goes_by_any_of_its_names_and_where_nothing_is_stated() -> None:
    assert fitted("openai/gpt-6-luna", picture("jpg"))[2] == []
    assert fitted("mistral/mistral-large-4", picture("tiff"))[2] == []
    assert fitted("vllm/some", picture("heic"))[2] == ["inputs-unknown"]


def test_office_formats_are_not_all_one() -> None:
    sheet = replace(OFFICE, media_type="application/vnd.oasis.opendocument.spreadsheet")
    assert "of office it takes" in str(refusal("gigachat/GigaChat-2-Max", sheet).hint)


def test_a_format_without_words_for_it_names_models_of_other_formats() -> None:
    """OpenAI's chat completions know no office files, its responses do."""
    error = refusal("openai/gpt-6-luna", OFFICE)

    assert "providers.openai.api = responses takes it" in str(error.hint)
    first, *others = named(error)
    assert first.startswith("openai/")  # one that answers in responses alone
    assert fitted(first, OFFICE)[2] == []
    assert [one for one in others if one.startswith("gigachat/")]


@pytest.mark.parametrize(
    ("name", "codes"),
    [("openrouter/some/model", ["inputs-unknown"]), ("vllm/some", ["inputs-unknown"]),
     ("ollama/some", [])],
)  # fmt: skip
def test_what_nobody_knows_is_sent_and_said_unless_the_server_tells(
    name: str, codes: list[str]
) -> None:
    assert fitted(name, PNG)[2] == codes


def test_a_type_of_no_kind_is_the_providers_to_judge() -> None:
    assert fitted("gemini/gemini-4-argon", Media("application/x-foo", data=b"x"))[2] == []


# ---- limits


def large(file: Media, size: int) -> Media:
    return replace(file, data=None, path="/nowhere", size=size)


@pytest.mark.parametrize(
    ("name", "file", "most"),
    [
        ("gigachat/GigaChat-2-Max", PNG, 15_000_000), ("gigachat/GigaChat-2-Max", PDF, 40_000_000),
        ("gemini/gemini-4-argon", MP4, 2_000_000_000), ("gemini/gemini-4-argon", PDF, 50_000_000),
    ],
)  # fmt: skip
def test_the_size_of_a_file_is_the_cards(name: str, file: Media, most: int) -> None:
    assert fitted(name, large(file, most))[2] == []
    error = refusal(name, large(file, most + 1))

    assert f"{(most + 100_000) / 1e6:g} MB" in error.message
    assert f"{most / 1e6:g} MB at most" in error.message


def test_all_files_of_a_request_have_their_room_together() -> None:
    """32 MB of a request to Anthropic are 24 MB of files, as base64 takes four thirds."""
    half = 12_000_000
    assert fitted("anthropic/claude-sonnet-5-5", large(PDF, half), large(PDF, half))[2] == []
    error = refusal("anthropic/claude-sonnet-5-5", large(PDF, half), large(PDF, half + 3))

    assert "32.1 MB as base64" in error.message
    assert "32 MB at most" in error.message


def test_there_may_be_so_many() -> None:
    call = with_files("m", *[PNG] * 2)
    loaded = settings.load({})
    route = resolve("gigachat/GigaChat-2-Max", loaded, shown=True)
    with pytest.raises(UsageError, match="1 image in a message, not 2"):
        fitting_files(route, call, loaded)

    turns = with_files("m", PNG).messages
    assert fitting_files(route, Chat("m", turns * 10), loaded) == ()
    with pytest.raises(UsageError, match="11 files are too many"):
        fitting_files(route, Chat("m", turns * 11), loaded)


def test_all_files_of_a_request_have_a_size_together() -> None:
    """GigaChat: 15 MB a picture, one a message, and less than 80 MB a request."""
    loaded = settings.load({})
    route = resolve("gigachat/GigaChat-2-Max", loaded, shown=True)

    def sent(*sizes: int) -> tuple[Any, ...]:
        turns = [with_files("m", large(PNG, size)).messages[0] for size in sizes]
        return fitting_files(route, Chat("m", tuple(turns)), loaded)

    assert sent(*[15_000_000] * 5, 4_999_999) == ()
    with pytest.raises(UsageError, match="80 MB, and GigaChat takes less than 80 MB in a request"):
        sent(*[15_000_000] * 5, 5_000_000)


def test_kinds_are_not_mixed_where_that_is_stated() -> None:
    for files, kinds in (((PNG, PDF), "image, pdf"), ((PDF, OFFICE), "office, pdf")):
        error = refusal("gigachat/GigaChat-2-Max", *files)
        assert error.message.endswith(f"one kind in a message, not of several: {kinds}")
    assert fitted("gemini/gemini-4-argon", PNG, PDF, WAV, MP4)[2] == []


# ---- addresses


URL = replace(PNG, data=None, url="https://pictures.example/cat.png")


def test_an_address_goes_to_those_who_fetch_it_themselves() -> None:
    assert fitted("openai/gpt-6-luna", URL)[2] == []
    assert fitted("gemini/gemini-4-argon", replace(URL, media_type="application/pdf"))[2] == []
    for name in ("gigachat/GigaChat-2-Max", "ollama/some", "vllm/some"):
        assert "--fetch" in str(refusal(name, URL).hint)
    sound = replace(URL, media_type="audio/wav")
    assert "--fetch" in str(refusal("openrouter/some", sound).hint)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "localhost:8000", "192.168.1.5", "[fd00::1]", "nas.local", "intranet:80", "127.1"],
)
def test_an_address_that_only_works_here_is_not_passed_on(host: str) -> None:
    refused = refusal("openai/gpt-6-luna", replace(URL, url=f"http://{host}/cat.png"))

    assert "private network" in refused.message
    assert "--fetch" in str(refused.hint)


def test_an_address_is_told_where_policy_cares_what_becomes_of_the_data() -> None:
    """Whoever has the picture learns that it was asked for."""
    loaded = settings.load({"policy.max_level": "no-training"})
    route = resolve("openai/gpt-6-luna", loaded, shown=True)
    assert cleared(route, with_files("gpt-6-luna", PNG), loaded).route.verdict.allowed

    with pytest.raises(PrivacyRefused) as caught:
        cleared(route, with_files("gpt-6-luna", URL), loaded)
    assert caught.value.exit_code == 4
    assert "pictures.example" in caught.value.message
    assert "--fetch" in str(caught.value.hint)

    verdict = cleared(route, with_files("gpt-6-luna", URL), settings.load({})).route.verdict
    assert verdict.level is Level.UNKNOWN
    assert "pictures.example" in f"{verdict.why}"


def test_clearance_refuses_too_whoever_has_made_the_call() -> None:
    loaded = settings.load({})
    route = resolve("openai/gpt-3.5-turbo", loaded, shown=True)

    with pytest.raises(UsageError, match="takes no image"):
        cleared(route, with_files("gpt-3.5-turbo", PNG), loaded)


# ---- what cannot be searched, under a policy


@pytest.mark.parametrize(
    "flags",
    [{"policy.secrets": "block"}, {"policy.secrets": "redact"}, {"policy.pii_regions": ["RU"]}],
)
def test_what_cannot_be_searched_does_not_leave_under_a_policy(flags: dict[str, Any]) -> None:
    """Whoever says that secrets are held back, and that personal data stays in a region, means
    those in files too."""
    loaded = settings.load(flags)
    route = resolve("openai/gpt-6-luna", loaded, shown=True)

    with pytest.raises(PrivacyRefused):
        cleared(route, with_files("gpt-6-luna", PNG), loaded)
    assert cleared(route, with_files("gpt-6-luna"), loaded).route.verdict.allowed
    bare = settings.load({})
    assert cleared(route, with_files("gpt-6-luna", PNG), bare).route.verdict.allowed


def test_an_address_is_shown_without_what_may_be_a_key() -> None:
    key = "ghp_" + "k" * 36
    url = f"https://user:{key}@files.example:8080/cat.png?token={key}"

    error = refusal("gigachat/GigaChat-2-Max", replace(URL, url=url))
    assert "https://files.example:8080/cat.png" in error.message
    assert key not in error.message

"""Pulling from the Hub by name: chosen, fetched at one commit, checked, registered; after that it
is a local model like any other."""

import asyncio
import hashlib
import secrets
import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmctl import catalogue
from llmctl.engine import hub_api, hub_pull, pulled, weights
from llmctl.engine.names import find_model
from llmctl.errors import (
    AuthFailed,
    ConfigError,
    IoFailed,
    NetworkFailed,
    NotFound,
    ProviderFailed,
)
from llmctl.settings import Settings
from tests.hub import Hub
from tests.hub_models import COMMIT, Repo
from tests.unit.engine.hub_shared import GGUF, TINY, reached
from tests.unit.engine.weights_shared import Told

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with reached(Hub(repos=[TINY]), monkeypatch) as one:
        yield one


def order(repo: str, quant: str | None, told: Told) -> hub_pull.Order:
    return hub_pull.Order(
        repo=repo, quant=quant, settings=Settings(), notice=told.notices.append, progress=told.bar
    )


def pull(repo: str = "org/tiny-GGUF", quant: str | None = None, told: Told | None = None) -> Path:
    wanted = order(repo, quant, told or Told())

    async def both() -> Path:
        return await hub_pull.brought(await hub_pull.planned(wanted), wanted)

    return asyncio.run(both())


def lying() -> list[str]:
    folder = weights.folder()
    return sorted(
        str(one.relative_to(folder))
        for one in folder.rglob("*")
        if one.is_file() and one.suffix not in (".lock", ".json")
    )


def local(name: str) -> object:
    return find_model(catalogue.card("local", Settings()), name)


def test_the_file_comes_at_the_commit_and_is_registered(hub: Hub) -> None:
    path = pull()

    assert path.read_bytes() == GGUF
    assert lying() == ["org--tiny-GGUF--Q4_K_M/tiny-Q4_K_M.gguf"]
    resolved = [path for place, _m, path, _h in hub.asked if place == "hub" and "/resolve/" in path]
    assert set(resolved) == {f"/org/tiny-GGUF/resolve/{COMMIT}/tiny-Q4_K_M.gguf"}
    [model] = pulled.models()
    assert model.id == "org/tiny-GGUF:Q4_K_M"
    assert (model.licence, model.weights_of, model.context) == ("mit", "org/tiny", 32_768)
    assert (model.parameters, model.languages, model.kind) == ("1.78B", ("en", "ru"), "chat")
    assert model.weights is not None
    assert (model.weights.revision, model.weights.size) == (COMMIT, len(GGUF))
    assert model.weights.sha256 == hashlib.sha256(GGUF).hexdigest()
    assert weights.ready(model, Told().notices.append) == path


def test_it_is_found_by_its_name_with_and_without_its_quantisation(hub: Hub) -> None:
    assert local("org/tiny-GGUF") is None
    pull(quant="Q8_0")
    pull()

    names = ("org/tiny-GGUF", "org/tiny-GGUF:Q4_K_M", "org/tiny-GGUF:q8_0", "org/tiny-GGUF:Q2_K")
    found = [find_model(catalogue.card("local", Settings()), name) for name in names]

    assert [one and one.id for one in found] == [
        "org/tiny-GGUF:Q4_K_M", "org/tiny-GGUF:Q4_K_M", "org/tiny-GGUF:Q8_0", None
    ]  # fmt: skip
    card = pulled.with_pulled(catalogue.card("local", Settings()))
    assert [one.id for one in card.models[-2:]] == ["org/tiny-GGUF:Q4_K_M", "org/tiny-GGUF:Q8_0"]


@pytest.mark.parametrize(
    "name", ["./org/x.gguf", "/tmp/org/x.gguf", "~/x", "org/x.gguf", "smollm2", "../x/y"]
)
def test_what_is_a_path_is_no_name_of_the_hub(name: str) -> None:
    assert pulled.entry(name) is None


def test_a_model_in_several_files(hub: Hub) -> None:
    told = Told()
    path = pull(quant="BF16", told=told)

    assert path.name == "tiny-BF16-00001-of-00002.gguf"
    assert lying() == [
        "org--tiny-GGUF--BF16/tiny-BF16-00001-of-00002.gguf",
        "org--tiny-GGUF--BF16/tiny-BF16-00002-of-00002.gguf",
    ]
    assert [title.endswith(f"({number}/2)") for number, (title, *_rest) in
            enumerate(told.bars, 1)] == [True, True]  # fmt: skip
    [model] = pulled.models()
    assert model.weights is not None
    assert model.weights.size == 2 * len(GGUF) + 3
    assert weights.ready(model, told.notices.append) == path
    assert told.notices == []


def test_a_part_that_is_missing_or_damaged_is_noticed(hub: Hub) -> None:
    path = pull(quant="BF16")
    [model] = pulled.models()
    second = path.with_name("tiny-BF16-00002-of-00002.gguf")
    second.write_bytes(second.read_bytes()[::-1])

    with pytest.raises(ConfigError, match="00002-of-00002") as caught:
        weights.ready(model, Told().notices.append)
    assert caught.value.reason == "checksum"
    second.unlink()
    assert weights.present(model) is None
    assert pulled.models() == []


def test_a_broken_transfer_is_taken_up_again_by_the_next_command(hub: Hub) -> None:
    hub.cuts = [30_000, 0]
    with pytest.raises(NetworkFailed):
        pull()
    assert lying() == [
        "org--tiny-GGUF--Q4_K_M/tiny-Q4_K_M.gguf.part",
        "org--tiny-GGUF--Q4_K_M/tiny-Q4_K_M.gguf.part.of",
    ]
    hub.asked.clear()

    assert pull().read_bytes() == GGUF
    assert hub.fetched == ["bytes=30000-"]
    assert lying() == ["org--tiny-GGUF--Q4_K_M/tiny-Q4_K_M.gguf"]


def test_the_parts_that_are_here_are_not_fetched_again(hub: Hub) -> None:
    hub.cuts = [10**9, 10, 0]  # the first comes whole
    with pytest.raises(NetworkFailed):
        pull(quant="BF16")
    hub.asked.clear()

    pull(quant="BF16")

    assert hub.fetched == ["bytes=10-"]


def test_bytes_that_are_not_those_of_the_hub_are_refused(hub: Hub) -> None:
    hub.repos = [replace(TINY, sums={"tiny-Q4_K_M.gguf": "ab" * 32})]

    with pytest.raises(NetworkFailed) as caught:
        pull()

    assert caught.value.reason == "checksum"
    assert lying() == []
    assert pulled.models() == []


def test_a_later_revision_takes_the_place_of_the_earlier_one(hub: Hub) -> None:
    pull()
    newer = b"GGUF" + b"newer" * 100
    hub.repos = [Repo("org/tiny-GGUF", {"renamed-Q4_K_M.gguf": newer}, sha="f" * 40)]

    assert pull().read_bytes() == newer
    assert lying() == ["org--tiny-GGUF--Q4_K_M/renamed-Q4_K_M.gguf"]
    [model] = pulled.models()
    assert model.weights is not None
    assert model.weights.revision == "f" * 40


def test_no_room_on_the_disk_is_said_before_anything_is_fetched(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 1000))

    with pytest.raises(IoFailed) as caught:
        pull()

    assert caught.value.reason == "full"
    assert (hub.fetched, lying()) == ([], [])
    assert [one for one in weights.folder().iterdir() if one.is_dir()] == []


def test_a_gated_model_names_the_page_of_its_terms(hub: Hub) -> None:
    hub.repos, hub.gate = [replace(TINY, gated="manual")], secrets.token_hex(8)

    with pytest.raises(AuthFailed) as caught:
        pull()

    error = caught.value
    assert (error.exit_code, error.reason) == (6, "gated")
    assert f"{hub.url}/org/tiny-GGUF" in (error.hint or "")
    assert "HF_TOKEN" in (error.hint or "")
    assert lying() == []


def test_a_gated_model_with_its_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repos, hub.gate = [replace(TINY, gated="auto")], secrets.token_hex(8)
    monkeypatch.setenv("HF_TOKEN", hub.gate)

    assert pull().read_bytes() == GGUF
    assert {headers.get("authorization") for place, *_r, headers in hub.asked
            if place == "store"} == {None}  # fmt: skip


def test_a_repository_without_such_files(hub: Hub) -> None:
    hub.repos = [Repo("org/plain", {"model.safetensors": b"x", "mmproj-F16.gguf": GGUF})]

    with pytest.raises(NotFound, match="no file in GGUF form") as caught:
        pull("org/plain")
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("llmctl models list huggingface --gguf --search plain")


def test_a_repository_that_there_is_not(hub: Hub) -> None:
    with pytest.raises(NotFound, match="org/nosuch"):
        pull("org/nosuch")


def test_a_list_of_files_over_several_pages(hub: Hub) -> None:
    hub.page = 2

    assert pull(quant="BF16").name == "tiny-BF16-00001-of-00002.gguf"


@pytest.mark.parametrize(
    "card", [{"language": 5, "base_model": {"a": 1}}, {"language": ["en", 7, None]}, {}]
)
def test_facts_of_any_type_are_borne(hub: Hub, card: dict[str, object]) -> None:
    hub.repos = [
        replace(TINY, card=card, tags=("gguf", "license:mit"), gguf={"context_length": -1})
    ]
    pull()

    [model] = pulled.models()
    assert (model.weights_of, model.context, model.parameters) == (None, None, None)
    assert (model.licence, set(model.languages) <= {"en"}) == ("mit", True)


def test_a_repository_without_an_end(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_api, "MOST_FILES", 3)
    hub.page = 2

    with pytest.raises(ProviderFailed, match="more than 3 files"):
        pull()


def test_a_model_for_vectors_is_told_by_its_task(hub: Hub) -> None:
    hub.repos = [replace(TINY, task="feature-extraction")]
    pull()

    assert [one.kind for one in pulled.models()] == ["embedding"]


def test_what_is_said_before_a_pull(hub: Hub) -> None:
    wanted = order("org/tiny-GGUF", None, Told())

    plan = asyncio.run(hub_pull.planned(wanted))

    said = hub_pull.about(plan, wanted)
    assert said.startswith("tiny-Q4_K_M.gguf, 0 MB, about 0 MB of memory, mit, from http://127.")
    assert said.endswith("org/tiny-GGUF: the usual choice between size and quality")
    assert hub_pull.too_large(plan, None) is None
    assert hub_pull.too_large(plan, 10**9) is None
    assert "may not load" in (hub_pull.too_large(plan, 1000) or "")


def test_a_name_that_is_not_here_says_how_it_gets_here() -> None:
    with pytest.raises(NotFound) as caught:
        weights.by_path("org/tiny-GGUF:Q4_K_M", catalogue.card("local", Settings()))

    assert caught.value.hint == (
        "fetch it from the Hub: llmctl models pull local/org/tiny-GGUF:Q4_K_M"
    )


def test_what_was_pulled_is_removed_whole_or_not(hub: Hub) -> None:
    pull()
    hub.cuts = [30_000, 0]
    with pytest.raises(NetworkFailed):
        pull(quant="Q8_0")

    assert weights.pulled_ids("org/tiny-GGUF", None) == [
        "org/tiny-GGUF:Q4_K_M", "org/tiny-GGUF:Q8_0"
    ]  # fmt: skip
    assert weights.pulled_ids("org/tiny-GGUF", "q8_0") == ["org/tiny-GGUF:Q8_0"]
    assert weights.pulled_ids("org/tiny", None) == []
    [model] = pulled.models()
    assert weights.remove(model) == len(GGUF)
    assert pulled.models() == []

"""The official `huggingface_hub` package against the loopback Hub: what it reads proves that Hub;
and what it asks for is what we ask for, every difference named here."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile, RepoFolder

from llmctl.engine import hub_api, hub_files
from llmctl.engine.hub_search import EXPAND, Wanted, query, read
from llmctl.settings import Settings
from tests.hub import Hub, serving
from tests.hub_models import COMMIT, Repo

GGUF = b"GGUF" + bytes(range(256)) * 10
PARTNER = {"provider": "together", "providerId": "org/m", "status": "live",
           "task": "conversational"}  # fmt: skip
REPOS = [
    Repo(
        "org/tiny-GGUF",
        {"README.md": b"# Tiny", "tiny-Q4_K_M.gguf": GGUF, "BF16/tiny-BF16.gguf": GGUF * 2},
        tags=("gguf", "license:mit"),
        card={"license": "mit", "language": "en"},
        gguf={"total": 135_000_000, "architecture": "llama", "context_length": 8192},
        downloads=5,
    ),
    Repo("org/tiny", {"model.safetensors": b"x"}, parameters=135_000_000, partners=[PARTNER],
         downloads=70),
    Repo("org/tiny-gated", {"m-Q8_0.gguf": GGUF}, gated="manual", downloads=1),
]  # fmt: skip


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(Hub(repos=REPOS)) as one:
        monkeypatch.setenv("HF_ENDPOINT", one.url)
        yield one


@pytest.fixture
def api(hub: Hub) -> Any:
    return HfApi(endpoint=hub.url, token=False)


def asked(hub: Hub) -> list[tuple[str, dict[str, list[str]]]]:
    """Path and query of each request, brackets behind `expand` taken away, which the Hub reads as
    it reads the name without them."""
    found = []
    for _place, _method, path, _headers in hub.asked:
        split = urlsplit(path.replace("expand%5B%5D=", "expand="))
        found.append((split.path, parse_qs(split.query)))
    return found


async def everything(pages: Any) -> list[Any]:
    return [entry async for page in pages for entry in page]


def ours(wanted: Wanted) -> list[Any]:
    return asyncio.run(everything(hub_api.pages("api/models", query(wanted), Settings())))


def test_a_search(hub: Hub, api: Any) -> None:
    theirs = list(
        api.list_models(
            search="tiny", pipeline_tag="text-generation", sort="downloads", limit=2,
            filter=["gguf", "license:mit"], expand=list(EXPAND),
        )
    )  # fmt: skip
    sent = asked(hub)
    hub.asked.clear()
    wanted = Wanted(text="tiny", task="text-generation", sort="downloads", limit=2, gguf=True,
                    licence="mit")  # fmt: skip

    found = [read(one) for one in ours(wanted)]

    assert [one.id for one in theirs] == [one and one.id for one in found] == ["org/tiny-GGUF"]
    assert asked(hub) == sent


def test_every_page_in_the_same_order(hub: Hub, api: Any) -> None:
    hub.page = 1

    theirs = list(api.list_models(search="tiny", sort="downloads", expand=["downloads", "gated"]))
    found = ours(Wanted(text="tiny", sort="downloads"))

    names = ["org/tiny", "org/tiny-GGUF", "org/tiny-gated"]
    assert [one.id for one in theirs] == [one["id"] for one in found] == names
    assert [one.gated for one in theirs] == [False, False, "manual"]


def test_one_model(hub: Hub, api: Any) -> None:
    facts = [*EXPAND, "cardData", "sha"]
    theirs = api.model_info("org/tiny", expand=facts)
    sent = asked(hub)
    hub.asked.clear()

    answer = asyncio.run(hub_api.model("org/tiny", facts, Settings()))

    assert asked(hub) == sent
    found = read(answer)
    assert found is not None
    assert (found.parameters, found.downloads) == (theirs.safetensors.total, theirs.downloads)
    assert [one.partner for one in found.served] == [
        one.provider for one in theirs.inference_provider_mapping if one.status == "live"
    ]
    assert theirs.sha == COMMIT
    gguf = api.model_info("org/tiny-GGUF", expand=["gguf", "cardData"])
    assert (gguf.gguf["context_length"], gguf.card_data.license) == (8192, "mit")


def test_the_files_of_a_model(hub: Hub, api: Any) -> None:
    hub.page = 2
    theirs = list(api.list_repo_tree("org/tiny-GGUF", recursive=True, revision=COMMIT))

    found = hub_files.remote_files(asyncio.run(hub_api.tree("org/tiny-GGUF", COMMIT, Settings())))

    assert [one.path for one in theirs if isinstance(one, RepoFolder)] == ["BF16"]
    assert [(one.path, one.size, one.lfs.sha256 if one.lfs else None)
            for one in theirs if isinstance(one, RepoFile)] == [
        (one.path, one.size, one.sha256) for one in found
    ]  # fmt: skip
    assert found[1].sha256 == hashlib.sha256(GGUF).hexdigest()


def test_a_file_is_fetched_by_the_package_too(hub: Hub, api: Any, tmp_path: Any) -> None:
    path = api.hf_hub_download("org/tiny-GGUF", "tiny-Q4_K_M.gguf", local_dir=tmp_path)

    with open(path, "rb") as file:
        assert file.read() == GGUF


def test_what_there_is_not_and_what_is_gated(hub: Hub, api: Any, tmp_path: Any) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/nosuch")
    with pytest.raises(GatedRepoError):
        api.hf_hub_download("org/tiny-gated", "m-Q8_0.gguf", local_dir=tmp_path)

"""Rows of data sets on the Hub, from a viewer on loopback."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NotFound,
    PrivacyRefused,
    ProviderFailed,
    UsageError,
)
from llmctl.rows import BadRow, Row, open_rows
from llmctl.rows.hub import place_of
from llmctl.settings import Loaded, Network, Policy, ProviderSettings, Settings
from llmctl.types import Level
from llmctl.values import replace
from tests.simulator.dataset_viewer import WRONG, DatasetViewer, row


@pytest.fixture(scope="module")
def served() -> Iterator[DatasetViewer]:
    with DatasetViewer() as viewer:
        yield viewer


@pytest.fixture
def viewer(served: DatasetViewer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> DatasetViewer:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("LLMCTL_CONFIG_DIR", str(tmp_path))
    served.asked.clear()
    served.keys.clear()
    served.met.clear()
    return served


def loaded(viewer: DatasetViewer, **policy: Any) -> Loaded:
    own = ProviderSettings(urls={"datasets_url": viewer.url, "hub_url": viewer.url})
    network = Network(backoff=0.001, max_wait=1.5)
    return Loaded(
        Settings(providers={"huggingface": own}, network=network, policy=Policy(**policy)), {}
    )


def read(source: str, own: Loaded, **how: Any) -> list[Row | BadRow]:
    async def reading() -> list[Row | BadRow]:
        async with aclosing(open_rows(source, loaded=own, **how)) as found:
            return [one async for one in found]

    return asyncio.run(reading())


def test_all_rows_of_all_pages(viewer: DatasetViewer) -> None:
    found = read("hf://datasets/org/small", loaded(viewer))

    assert found == [Row(number + 1, row(number), f"r{number}") for number in range(250)]
    assert len(viewer.asked) == 1 + 3  # the splits, and pages of a hundred
    assert viewer.keys == [None] * 4


def test_no_more_is_asked_for_than_wanted(viewer: DatasetViewer) -> None:
    found = read("hf://datasets/org/small", loaded(viewer), limit=101, columns=["text"])

    assert len(found) == 101
    assert found[0] == Row(1, {"text": "строка 0"}, "r0")
    assert viewer.asked[-1].endswith("offset=100&length=1")


def test_the_key_goes_to_the_viewer_alone(
    viewer: DatasetViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "hf_" + "k" * 20
    monkeypatch.setenv("HF_TOKEN", key)

    read("hf://datasets/org/small", loaded(viewer), limit=1)

    assert set(viewer.keys) == {f"Bearer {key}"}


@pytest.mark.parametrize(
    ("source", "config", "split"),
    [
        ("org/small", "default", "train"),
        ("org/small/default/train", "default", "train"),
        ("org/several/ru", "ru", "train"),
        ("org/several/ru/test", "ru", "test"),
        ("org/splits/test", "default", "test"),
    ],
)
def test_a_subset_and_a_split_may_be_named(
    viewer: DatasetViewer, source: str, config: str, split: str
) -> None:
    read(f"hf://datasets/{source}", loaded(viewer), limit=1)

    assert f"config={config}&split={split}&" in viewer.asked[-1]


@pytest.mark.parametrize(
    ("source", "kind", "hint"),
    [
        ("org/several", UsageError, "en, ru"),
        ("org/splits", UsageError, "validation, test"),
        ("org/several/de/train", NotFound, "en, ru"),
        ("org/small/test", NotFound, "train"),
        ("org/nosuch", NotFound, "huggingface.co/datasets"),
        ("org/gated", AuthFailed, "accept them at https://huggingface.co/datasets/org/gated"),
        ("org/closed", AuthFailed, "huggingface.co/datasets/org/closed"),
        ("org/empty", NotFound, ""),
        ("org/never", ProviderFailed, "still being made"),
        ("org/unready", NotFound, "huggingface.co/datasets/org/unready"),
        ("org/pending/de", NotFound, "huggingface.co/datasets/org/pending"),
        ("org/pending/en", ProviderFailed, "still being made"),
        ("org/nothing", ProviderFailed, ""),
    ],
)
@pytest.mark.parametrize("keyed", [False, True])
def test_what_is_not_there_is_told(
    viewer: DatasetViewer,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    kind: type[LlmctlError],
    hint: str,
    keyed: bool,
) -> None:
    if keyed:
        monkeypatch.setenv("HF_TOKEN", "hf_" + "k" * 20)

    with pytest.raises(kind) as caught:
        read(f"hf://datasets/{source}", loaded(viewer))

    assert hint in (caught.value.hint or "")
    assert caught.value.provider in (None, "huggingface")


def test_a_token_that_is_none_is_told_apart(
    viewer: DatasetViewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", WRONG)

    with pytest.raises(AuthFailed) as caught:
        read("hf://datasets/org/nosuch", loaded(viewer))

    assert "token" in (caught.value.hint or "")
    assert WRONG not in str(caught.value)


def test_without_the_hub_the_viewers_word_has_to_do(viewer: DatasetViewer) -> None:
    gone = ProviderSettings(urls={"datasets_url": viewer.url, "hub_url": "http://127.0.0.1:9"})
    own = loaded(viewer)
    with pytest.raises(AuthFailed, match="or it is not open to everybody"):
        read(
            "hf://datasets/org/nosuch",
            replace(own, settings=replace(own.settings, providers={"huggingface": gone})),
        )


def test_one_subset_that_is_not_ready_hides_no_other(viewer: DatasetViewer) -> None:
    assert len(read("hf://datasets/org/pending/fr", loaded(viewer), limit=2)) == 2


def test_a_data_set_that_is_not_whole_is_noted(viewer: DatasetViewer) -> None:
    said: list[str] = []

    read("hf://datasets/org/part", loaded(viewer), note=said.append)

    assert len(said) == 1
    assert "250 rows" in said[0]


def test_a_page_that_is_empty_too_soon_ends_in_an_error(viewer: DatasetViewer) -> None:
    with pytest.raises(ProviderFailed, match="row - where row 100"):
        read("hf://datasets/org/ends", loaded(viewer))


def test_nothing_is_asked_for_nothing(viewer: DatasetViewer) -> None:
    assert read("hf://datasets/org/small", loaded(viewer), limit=0) == []
    assert viewer.asked == []


@pytest.mark.parametrize(
    "source", ["org", "org/", "a/b/c/d/e", "", "../x", "org/a?split=b", "org/a@main", "org/a b"]
)
def test_what_names_no_data_set_is_refused(source: str) -> None:
    with pytest.raises(UsageError):
        place_of(f"hf://datasets/{source}") if source != "../x" else place_of("hf://models/a/b")


def test_a_page_that_repeats_ends_in_an_error(viewer: DatasetViewer) -> None:
    with pytest.raises(ProviderFailed, match="row 0 where row 100"):
        read("hf://datasets/org/repeats", loaded(viewer))


@pytest.mark.parametrize("source", ["org/busy", "org/limited", "org/later"])
def test_it_is_asked_again(viewer: DatasetViewer, source: str) -> None:
    assert len(read(f"hf://datasets/{source}", loaded(viewer), limit=5)) == 5


def test_a_cut_cell_is_a_bad_row_where_it_is_wanted(viewer: DatasetViewer) -> None:
    found = read("hf://datasets/org/cut", loaded(viewer), limit=4)

    assert [one.line for one in found if isinstance(one, BadRow)] == [3]
    found = read("hf://datasets/org/cut", loaded(viewer), limit=4, columns=["label"])
    assert not any(isinstance(one, BadRow) for one in found)


def test_a_total_that_grows_is_followed_and_noted(viewer: DatasetViewer) -> None:
    said: list[str] = []

    assert len(read("hf://datasets/org/grows", loaded(viewer), note=said.append)) == 250
    assert [one for one in said if "it had 120 rows, and has 250" in one] == said[:1]


def test_a_row_whose_name_another_has_is_bad(viewer: DatasetViewer) -> None:
    found = read("hf://datasets/org/small", loaded(viewer), unique=True)

    assert [one.line for one in found if isinstance(one, BadRow)] == []
    assert len(found) == 250


def test_a_column_that_is_not_there_is_told(viewer: DatasetViewer) -> None:
    with pytest.raises(UsageError, match="no column txt") as caught:
        read("hf://datasets/org/small", loaded(viewer), columns=["txt"])
    assert caught.value.hint == "did you mean: text"


@pytest.mark.parametrize("policy", [{"max_level": Level.DEVICE}, {"deny": ("huggingface",)}])
def test_policy_forbids_it_before_anything_is_asked(
    viewer: DatasetViewer, policy: dict[str, Any]
) -> None:
    with pytest.raises(PrivacyRefused):
        read("hf://datasets/org/small", loaded(viewer, **policy))

    assert viewer.asked == []


def test_the_next_page_is_on_its_way_while_one_is_worked_on(viewer: DatasetViewer) -> None:
    async def first() -> list[str]:
        rows = open_rows("hf://datasets/org/small", loaded=loaded(viewer))
        async with aclosing(rows) as found:
            await anext(found)
            await asyncio.wait_for(asyncio.to_thread(viewer.until_asked, 3), 5)
            return list(viewer.asked)

    assert [one.partition("&offset=")[2] for one in asyncio.run(first())] == [
        "", "0&length=100", "100&length=100"
    ]  # fmt: skip


def test_leaving_early_stops_asking(viewer: DatasetViewer) -> None:
    async def first() -> Row | BadRow:
        rows = open_rows("hf://datasets/org/small", loaded=loaded(viewer))
        async with aclosing(rows) as found:
            async for one in found:
                return one
        raise AssertionError

    assert asyncio.run(first()).line == 1
    assert len(viewer.asked) <= 3


def test_what_is_settled_at_the_server_is_in_the_published_description(
    viewer: DatasetViewer,
) -> None:
    """The simulator answers in the shape that the viewer's description gives."""
    import json
    import os
    from pathlib import Path

    import jsonschema

    folder = os.environ.get("LLMCTL_CONFORMANCE_DIR")
    if not folder:
        pytest.skip("LLMCTL_CONFORMANCE_DIR does not lead to the specifications")
    path = Path(folder) / "openapi" / "huggingface.dataset-viewer.openapi.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    # There each kind of cell is described, and a text is of two kinds at once, where one must be.
    document["components"]["schemas"]["Cell"] = {}
    for target, schema in (
        ("/splits?dataset=org/several", "SplitsResponse"),
        ("/splits?dataset=org/pending", "SplitsResponse"),
        ("/rows?dataset=org/small&config=default&split=train&offset=0&length=3",
         "PaginatedResponse"),
    ):  # fmt: skip
        status, answer, _headers = viewer.answer(target)
        assert status == 200
        wanted = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        jsonschema.validate(answer, wanted)
    known_codes = {
        one["const"]
        for name, one in document["components"]["schemas"].items()
        if name.startswith("X-Error-Code")
    }
    for name in ("org/nosuch", "org/gated", "org/never"):
        status, answer, headers = viewer.answer(f"/splits?dataset={name}")
        assert str(status) in document["paths"]["/splits"]["get"]["responses"]
        assert headers["X-Error-Code"] in known_codes
        jsonschema.validate(answer, document["components"]["schemas"]["CustomError"])
    read("hf://datasets/org/small", loaded(viewer), limit=1)
    for target in viewer.asked:
        names = {one.partition("=")[0] for one in target.partition("?")[2].split("&")}
        given = document["paths"][target.partition("?")[0]]["get"]["parameters"]
        known = {_parameter(one, document)["name"] for one in given}
        assert names <= known


def _parameter(one: Any, document: Any) -> Any:
    if "$ref" not in one:
        return one
    return document["components"]["parameters"][one["$ref"].rpartition("/")[2]]

"""Which file of a repository is pulled. Names are as the makers of such files give them."""

import pytest

from llmctl.engine.hub_files import (
    ORDER,
    RemoteFile,
    Variant,
    chosen,
    embeds,
    quant_of,
    remote_files,
    variants,
)
from llmctl.errors import NotFound, UsageError

GB = 10**9


def files(*names: str, size: int = GB) -> list[RemoteFile]:
    return [RemoteFile(name, size, None) for name in names]


def sized(**sizes: int) -> list[Variant]:
    """A repository with these quantisations, in bytes each."""
    return variants([RemoteFile(f"m-{name}.gguf", size, None) for name, size in sizes.items()])


@pytest.mark.parametrize(
    ("stem", "quant"),
    [
        ("Llama-3.2-3B-Instruct-Q4_K_M", "Q4_K_M"),
        ("qwen2.5-7b-instruct-q4_k_m", "Q4_K_M"),
        ("smollm2.Q4_1", "Q4_1"),
        ("model-IQ4_XS", "IQ4_XS"),
        ("Qwen3-8B-UD-Q4_K_XL", "UD-Q4_K_XL"),
        ("gpt-oss-20b-MXFP4", "MXFP4"),
        ("BF16/Qwen3-32B-BF16", "BF16"),
        ("ggml-model-f16", "F16"),
        ("model.fp16", "F16"),
        ("m-TQ1_0", "TQ1_0"),
        ("Q8_0/model", "Q8_0"),
        ("gemma-4-it-qat-q4_0", "Q4_0"),
        ("old-Q4_0_4_4", "Q4_0_4_4"),
        ("Qwen3-8B", None),
        ("model", None),
        ("q4labs-model", None),
    ],
)
def test_the_quantisation_in_a_name(stem: str, quant: str | None) -> None:
    assert quant_of(stem) == quant


def test_what_goes_with_a_model_is_none() -> None:
    listed = files("README.md", "mmproj-model-f16.gguf", "imatrix.gguf", "m-Q8_0.gguf",
                   "model-mmproj.gguf", "m-Q4_K_M.gguf")  # fmt: skip

    assert [one.quant for one in variants(listed)] == ["Q4_K_M", "Q8_0"]


def test_files_that_belong_together_are_one_model_and_only_when_all_are_there() -> None:
    whole = [f"BF16/m-BF16-{number:05}-of-00003.gguf" for number in (2, 3, 1)]
    half = ["m-Q8_0-00001-of-00002.gguf"]

    [one] = variants(files(*whole, *half))

    assert [part.path for part in one.files] == sorted(whole)
    assert (one.quant, one.size, one.label) == ("BF16", 3 * GB, "BF16")


@pytest.mark.parametrize(
    "path",
    ["../up-Q4_K_M.gguf", "a/../../m-Q4_K_M.gguf", "/etc/m-Q4_K_M.gguf", "m\x1b[2J-Q4_K_M.gguf",
     "m\u202eQ4_K_M.gguf", "", "a//b.gguf"],
)  # fmt: skip
def test_names_that_no_file_should_have_are_left_out(path: str) -> None:
    assert remote_files([{"type": "file", "path": path, "size": 1}]) == []


def test_files_of_a_tree_and_their_checksums() -> None:
    sum_ = "ab" * 32
    entries = [
        {"type": "directory", "path": "BF16", "size": 0},
        {"type": "file", "path": "README.md", "size": 12, "oid": "1" * 40},
        {"type": "file", "path": "m.gguf", "size": 134, "lfs": {"oid": sum_, "size": 9 * GB}},
        {"type": "file", "path": "odd.gguf", "size": 5, "lfs": {"oid": "short", "size": 5}},
        {"type": "file", "path": "no-size.gguf"},
        {"type": "file", "path": "minus.gguf", "size": -1},
        "no table",
    ]

    assert remote_files(entries) == [
        RemoteFile("README.md", 12, None),
        RemoteFile("m.gguf", 9 * GB, sum_),
        RemoteFile("odd.gguf", 5, None),
    ]


def test_the_usual_one_where_it_fits() -> None:
    found = sized(Q2_K=1 * GB, Q4_K_M=2 * GB, Q8_0=4 * GB)

    one, why = chosen("o/r", found, None, 16 * GB)

    assert (one.quant, why) == ("Q4_K_M", "the usual choice between size and quality")


def test_a_smaller_one_where_the_usual_one_does_not_fit() -> None:
    """Q4_K_M of 10 GB takes 11.8, Q3_K_M of 7 takes 8.5, Q2_K of 4 takes 5.2."""
    found = sized(Q2_K=4 * GB, Q3_K_M=7 * GB, Q4_K_M=10 * GB, Q8_0=20 * GB)

    one, why = chosen("o/r", found, None, 9 * GB)

    assert (one.quant, why) == ("Q3_K_M", "the best that fits into 9.0 GB of free memory")


@pytest.mark.parametrize(
    ("there", "quant"),
    [
        (("Q8_0", "Q5_K_M", "Q6_K"), "Q5_K_M"),
        (("Q8_0", "Q4_0", "Q5_K_M"), "Q4_0"),
        (("F16", "Q8_0"), "Q8_0"),
        (("F16", "Q2_K"), "Q2_K"),
        (("Q3_K_S", "Q3_K_L"), "Q3_K_L"),
        (("BF16", "UD-Q4_K_XL"), "UD-Q4_K_XL"),
        (("MXFP4", "F16"), "MXFP4"),
    ],
)
def test_the_nearest_where_there_is_no_usual_one(there: tuple[str, ...], quant: str) -> None:
    found = variants(files(*(f"m-{name}.gguf" for name in there)))

    one, why = chosen("o/r", found, None, None)

    assert (one.quant, why) == (quant, "the nearest to Q4_K_M there is")


def test_the_order_names_each_once() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert ORDER[0] == "Q4_K_M"


def test_nothing_fits() -> None:
    with pytest.raises(UsageError, match=r"Q2_K takes about 9\.6 GB, and 4\.0 GB are free") as said:
        chosen("o/r", sized(Q2_K=8 * GB, Q8_0=20 * GB), None, 4 * GB)
    assert "--quant Q2_K" in (said.value.hint or "")


def test_what_is_named_is_taken_whether_it_fits_or_not() -> None:
    found = sized(Q2_K=1 * GB, Q8_0=20 * GB)

    assert chosen("o/r", found, "q8_0", 4 * GB)[0].quant == "Q8_0"
    assert chosen("o/r", found, "M-q8_0.gguf", 4 * GB)[0].quant == "Q8_0"
    with pytest.raises(NotFound) as said:
        chosen("o/r", found, "Q6_K", 4 * GB)
    assert said.value.hint == "it has: Q8_0, Q2_K"  # in the order of preference


def test_two_models_in_one_repository_are_the_users_choice() -> None:
    found = variants(files("a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "b-Q8_0.gguf"))

    for wanted in (None, "Q4_K_M"):
        with pytest.raises(UsageError, match="a-Q4_K_M, b-Q4_K_M"):
            chosen("o/r", found, wanted, None)
    assert chosen("o/r", found, "b-Q4_K_M", None)[0].files[0].path == "b-Q4_K_M.gguf"


def test_the_only_file_whose_name_says_nothing() -> None:
    one, why = chosen("o/r", variants(files("model.gguf")), None, None)

    assert (one.label, why) == ("model", "the only one there is")


@pytest.mark.parametrize(
    ("repo", "task", "does"),
    [("o/bge-m3-GGUF", None, True), ("o/multilingual-e5-small", None, True),
     ("nomic-ai/nomic-embed-text-v1.5-GGUF", None, True), ("o/Qwen3-8B-GGUF", None, False),
     ("o/embeddinggemma", "text-generation", False), ("o/x", "sentence-similarity", True)],
)  # fmt: skip
def test_models_that_make_vectors(repo: str, task: str | None, does: bool) -> None:
    assert embeds(repo, task) is does

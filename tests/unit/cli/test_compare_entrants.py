"""Who is compared: names, variants of the prompt, and why some models are not asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_entrants import LONGEST_NAME, Asking, Field, gathered, read_variants
from llmctl.compare.shape import Case
from llmctl.errors import AuthFailed, NotFound, PrivacyRefused, UsageError
from llmctl.output.terminal import detect
from llmctl.types import Chat, Level, Role

TYPED = Case(id="1", text="Why?", columns={"prompt": "Why?", "input": None})
ROW = Case(id="7", line=7, text="A text.", columns={"prompt": "A text.", "city": "Канберра"})
LUNA, LITE = "openai/gpt-6-luna", "yandexgpt/yandexgpt-5-lite"


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "sk-" + "0" * 40)
    monkeypatch.setenv("YC_API_KEY", "AQVN" + "0" * 30)
    monkeypatch.setenv("YC_FOLDER_ID", "f")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path


def field(names: Sequence[str], case: Case = TYPED, **flags: Any) -> Field:
    asked = CompareAsked(**flags)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    asking = Asking(asked=asked, loaded=loaded)
    return gathered(asking, names, [case], detect(no_color=True))


def said(call: object) -> str:
    assert isinstance(call, Chat)
    return call.messages[-1].text


def test_models_in_the_order_they_were_named() -> None:
    found = field([LUNA, LITE, "ollama/qwen3:0.6b"])

    assert [one.name for one in found.candidates] == [LUNA, LITE, "ollama/qwen3:0.6b"]
    assert [one.provider for one in found.candidates] == ["openai", "yandexgpt", "ollama"]
    assert [one.candidate for one in found.entrants] == [0, 1, 2]
    assert found.errors == {}
    assert found.candidates[1].verdict is not None
    assert found.candidates[1].verdict.region == "RU"
    assert found.candidates[0].weights == "closed"
    call = found.entrants[0].call(TYPED)
    assert isinstance(call, Chat)
    assert (call.model, said(call)) == ("gpt-6-luna", "Why?")


def test_what_is_asked_of_all_is_in_every_call() -> None:
    found = field([LUNA, LITE], system="Be brief.", temperature=0.5, max_tokens=9, seed=3)

    for entrant in found.entrants:
        call = entrant.call(TYPED)
        assert isinstance(call, Chat)
        assert (call.temperature, call.max_tokens, call.seed) == (0.5, 9, 3)
        assert call.messages[0].role is Role.SYSTEM


# ---- named twice


def test_a_model_that_is_named_twice() -> None:
    with pytest.raises(UsageError, match=f"{LUNA} is named twice"):
        field([LUNA, LITE, LUNA])


def test_an_alias_of_a_model_that_is_named(folders: Path) -> None:
    config = folders / "CONFIG"
    config.mkdir()
    (config / "config.toml").write_text(f'[aliases]\nluna = "{LUNA}"\n')

    with pytest.raises(UsageError, match=f"luna and {LUNA} are the same model"):
        field([LUNA, "luna"])
    assert [one.name for one in field(["luna"]).candidates] == ["luna"]
    assert [one.model for one in field(["luna"]).candidates] == [LUNA]


def test_the_bare_name_of_a_model_that_is_named() -> None:
    with pytest.raises(UsageError, match="are the same model"):
        field([LUNA, "gpt-6-luna"])


def test_one_that_is_kept_out_is_named_twice_as_well() -> None:
    """Names of candidates are to be unique, asked or not."""
    with pytest.raises(UsageError, match="named twice"):
        field([LITE, LUNA, LUNA], require="region=RU")
    with pytest.raises(UsageError, match="named twice"):
        field([LUNA, "gemini/gemini-3-flash", "gemini/gemini-3-flash"])


def test_a_name_that_is_none_is_a_mistake_and_no_candidate() -> None:
    with pytest.raises(UsageError, match="nosuch"):
        field([LUNA, "nosuch"])


# ---- kept out


def test_what_policy_refuses_stands_there_with_its_reason() -> None:
    found = field([LUNA, LITE], require="region=RU")

    assert [one.candidate for one in found.entrants] == [1]
    assert isinstance(found.errors[0], PrivacyRefused)
    refused = found.candidates[0]
    assert refused.refused is not None
    assert refused.refused.code == "privacy-refused"
    assert refused.verdict is not None
    assert not refused.verdict.allowed
    assert refused.verdict.level is not Level.DEVICE
    assert refused.weights == "closed"


def test_a_model_without_a_key_stands_there_and_others_are_asked() -> None:
    found = field([LUNA, "gemini/gemini-3-flash"])

    assert [one.candidate for one in found.entrants] == [0]
    assert isinstance(found.errors[1], AuthFailed)
    assert found.candidates[1].refused is not None
    assert found.candidates[1].refused.exit_code == 6
    assert found.candidates[1].verdict is not None


def test_a_dry_run_needs_no_key() -> None:
    found = field([LUNA, "gemini/gemini-3-flash"], dry_run=True)

    assert found.errors == {}
    assert len(found.entrants) == 2


# ---- variants


def test_each_model_with_each_variant() -> None:
    found = field([LUNA, LITE], variant=["Briefly: {{ input }}", "In Russian: {{ input }}"])

    assert [one.name for one in found.candidates] == [
        f"{LUNA} · Briefly: {{{{ input }}}}",
        f"{LUNA} · In Russian: {{{{ input }}}}",
        f"{LITE} · Briefly: {{{{ input }}}}",
        f"{LITE} · In Russian: {{{{ input }}}}",
    ]
    assert [said(one.call(TYPED)) for one in found.entrants] == [
        "Briefly: Why?", "In Russian: Why?", "Briefly: Why?", "In Russian: Why?",
    ]  # fmt: skip
    # Variants of one model share its route, and so its connection.
    assert found.entrants[0].route.requested == found.entrants[1].route.requested


def test_a_variant_of_one_model_that_is_kept_out_is_kept_out_in_each() -> None:
    found = field([LUNA, LITE], variant=["{{ input }}", "{{ input }}!"], require="region=RU")

    assert set(found.errors) == {0, 1}
    assert [one.candidate for one in found.entrants] == [2, 3]


def test_a_variant_uses_the_columns_of_a_row() -> None:
    (entrant,) = field([LUNA], ROW, variant=["{{ input }} About {{ city }}."]).entrants

    assert said(entrant.call(ROW)) == "A text. About Канберра."
    other = Case(id="8", line=8, text="Another.", columns={"city": "Сидней"})
    assert said(entrant.call(other)) == "Another. About Сидней."


def test_a_template_of_a_file(folders: Path) -> None:
    file = folders / "mine.toml"
    file.write_text(
        'prompt = "Translate {{ input }} to {{ lang }}"\n[variables]\nlang = "German"\n'
    )

    (entrant,) = field([LUNA], variant=[str(file)]).entrants
    assert said(entrant.call(TYPED)) == "Translate Why? to German"
    (entrant,) = field([LUNA], variant=[str(file)], param=["lang=French"]).entrants
    assert said(entrant.call(TYPED)) == "Translate Why? to French"


def test_a_variant_that_there_is_not() -> None:
    with pytest.raises(NotFound, match="there is no template nosuch"):
        field([LUNA], variant=["nosuch"])


def test_a_variable_that_nobody_gave_is_said_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="lang"):
        field([LUNA], variant=["{{ input }} in {{ lang }}"])


def names(*variants: str) -> list[str | None]:
    return [name for name, _template in read_variants(CompareAsked(variant=list(variants)))]


def test_a_variant_that_is_named_twice() -> None:
    with pytest.raises(UsageError, match="named twice"):
        names("{{ input }}!", "{{ input }}!")


def test_texts_that_begin_alike_are_told_apart() -> None:
    same = "You are a careful historian of Australia. "
    found = names(same + "Be brief. {{ input }}", same + "Be long. {{ input }}", "a {{ input }}")

    assert found == [
        f"{same[: LONGEST_NAME - 1]}…",
        f"{same[: LONGEST_NAME - 1]}… (2)",
        "a {{ input }}",
    ]
    assert len(str(found[0])) == LONGEST_NAME


def test_a_text_of_many_lines_has_a_name_of_one() -> None:
    assert names("One\n\n two\t{{ input }}") == ["One two {{ input }}"]


def test_no_variant_is_one_without_a_name() -> None:
    assert read_variants(CompareAsked()) == [(None, None)]

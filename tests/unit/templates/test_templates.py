"""Templates: files, inheritance, variables, input, and what the sandbox keeps in."""

import time
from pathlib import Path

import pytest

from llmctl import resources, templates
from llmctl.errors import ConfigError, LlmctlError, NotFound, UsageError
from llmctl.templates import Rendered, Template, Variable

SHIPPED = resources.config() / "templates"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.toml").write_text(text)


def render(text: str, given: str | None = "IN", **values: str) -> Rendered:
    variables = {name: Variable() for name in values}
    return Template(name="t", prompt=text, variables=variables).render(values, given)


def question(rendered: Rendered) -> str:
    return rendered.messages[-1].text


def test_variables_defaults_and_input(folder: Path) -> None:
    write(
        folder,
        "explain",
        'system = "For {{ who }}."\nprompt = "Explain {{ input }} {{ n }}x"\n'
        'temperature = 0.5\n[variables]\nwho = "a child"\nn = 2\n',
    )
    template = templates.load("explain", [folder])

    rendered = template.render({"who": "Ёж"}, "monads")

    assert rendered.system == "For Ёж."
    assert question(rendered) == "Explain monads 2x"
    assert rendered.temperature == 0.5


@pytest.mark.parametrize(
    ("text", "given", "prompt", "expected"),
    [
        ("Do {{ input }}", "S", None, "Do S"),
        ("Do {{ input }}", None, "P", "Do P"),
        ("Do {{ input }}", "S", "P", "Do S\n\nP"),
        ("Do {{ prompt }}", "S", "P", "Do P\n\nS"),
        ("Do {{ prompt }}", None, "P", "Do P"),
        ("Do {{ input }} {{ prompt }}", "S", "P", "Do S P"),
        ("Do it", "S", "P", "Do it\n\nP\n\nS"),
        ("Do it", None, None, "Do it"),
    ],
)
def test_where_the_input_goes(
    text: str, given: str | None, prompt: str | None, expected: str
) -> None:
    rendered = Template(name="t", prompt=text).render({}, given, prompt=prompt)

    assert expected == question(rendered)


def test_examples_come_before_the_question(folder: Path) -> None:
    write(
        folder,
        "shots",
        'prompt = "{{ input }}"\n[[messages]]\nrole = "user"\ntext = "2+2"\n'
        '[[messages]]\nrole = "assistant"\ntext = "4"\n',
    )

    rendered = templates.load("shots", [folder]).render({}, "3+3")

    assert [(one.role.value, one.text) for one in rendered.messages] == [
        ("user", "2+2"),
        ("assistant", "4"),
        ("user", "3+3"),
    ]


def test_extends_fills_what_is_open(folder: Path) -> None:
    write(
        folder, "base", 'system = "S"\nprompt = "P {{ a }}{{ b }}"\n[variables]\na = "1"\nb = "2"\n'
    )
    write(folder, "over", 'extends = "base"\nmax_tokens = 9\n[variables]\nb = "3"\n')

    rendered = templates.load("over", [folder]).render({}, None)

    assert (rendered.system, question(rendered), rendered.max_tokens) == ("S", "P 13", 9)


def test_nothing_is_a_value_too(folder: Path) -> None:
    write(folder, "base", 'prompt = "P"\ntemperature = 0.9\nsystem = "S"\n')
    write(folder, "over", 'extends = "base"\ntemperature = 0\nsystem = ""\n')

    rendered = templates.load("over", [folder]).render({}, None)

    assert (rendered.temperature, rendered.system or "") == (0, "")


def test_a_circle_names_its_members(folder: Path) -> None:
    write(folder, "a", 'extends = "b"')
    write(folder, "b", 'extends = "a"')

    with pytest.raises(ConfigError, match="a → b → a"):
        templates.load("a", [folder])


def test_ones_own_hides_the_shipped(folder: Path) -> None:
    write(folder, "summarise", 'prompt = "mine"')

    assert templates.load("summarise", [folder, SHIPPED]).prompt == "mine"


def test_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        templates.load("sumarise", [SHIPPED])
    assert "summarise" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["../x", "a b", "", "Ü"])
def test_names_do_not_leave_the_folder(name: str, folder: Path) -> None:
    with pytest.raises((UsageError, NotFound)):
        templates.load(name, [folder])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('prompt = "x"\npromt = "y"', "promt"),
        ("prompt = x\n", "line 1"),
        ('[variables.a]\ndefualt = "1"', "defualt"),
        ('[[messages]]\nrole = "wizard"\ntext = "x"', "role"),
        ('temperature = "hot"', "temperature"),
    ],
)
def test_damaged_files_name_the_fault(text: str, said: str, folder: Path) -> None:
    write(folder, "bad", text)

    with pytest.raises(ConfigError, match=said):
        templates.load("bad", [folder])


def test_a_bad_schema_is_found_at_loading(folder: Path) -> None:
    write(folder, "bad", 'prompt = "x"\n[schema]\ntype = "objekt"')

    with pytest.raises(UsageError):
        templates.load("bad", [folder])


def test_missing_unknown_and_wrong_variables() -> None:
    template = Template(
        name="t", prompt="{{ a }} {{ tone }}",
        variables={"a": Variable(), "tone": Variable(default="dry", choices=("dry", "kind"))},
    )  # fmt: skip

    with pytest.raises(UsageError) as caught:
        template.render({}, None)
    assert "-p a=" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no variable b"):
        template.render({"a": "1", "b": "2"}, None)
    with pytest.raises(UsageError, match="tone"):
        template.render({"a": "1", "tone": "shrill"}, None)


def test_input_is_never_a_template() -> None:
    assert question(render("Do {{ input }}", "{{ 7 * 7 }}")) == "Do {{ 7 * 7 }}"


HOSTILE = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ input.__init__.__globals__ }}",
    "{{ '{0.__class__}'.format(input) }}",
    "{{ '{0.__class__}'|format(input) }}",
    "{{ '%s' % input }}",
    "{{ range(10**12)|list }}",
    "{{ 'x' * 10**10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(10000000000) %}x{% endfor %}",
    "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(n) %}{{ m(n ~ n) }}{% endmacro %}{{ m('xxxx') }}",
    "{% macro m(n) %}{{ m(n + n) }}{% endmacro %}{{ m('xxxx') }}",
    "{% macro m(n) %}{{ m(n|replace('x', 'xxxx')) }}{% endmacro %}{{ m('xxxx') }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{% import 'os' as os %}",
    "{% include '/etc/passwd' %}",
    "{{ lipsum.__globals__ }}",
    "{{ self.__init__ }}",
    "{{ cycler }}",
    "{% for x in range(3) %}",
    "{{ 1 / 0 }}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_templates_end_soon_with_an_error(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(LlmctlError):
        render(text)
    assert time.monotonic() - begun < 10


def test_ordinary_jinja_works() -> None:
    text = (
        "{% for one in input.split(',') if one %}{{ loop.index }}.{{ one|trim|upper }} {% endfor %}"
        "{{ 'a' ~ 1 ~ 'b' }} {{ 2 * 3 + 1 }} {{ 'ab' * 2 }} {{ input|replace('x', 'y') }}"
    )

    assert question(render(text, "x, z")) == "1.X 2.Z a1b 7 abab y, z"


@pytest.mark.parametrize("name", sorted(templates.names([SHIPPED])))
def test_shipped_templates_render_and_fence_their_input(name: str) -> None:
    template = templates.load(name, [SHIPPED])
    values = {
        key: "x" for key, one in template.variables.items() if one.default is None
    }  # fmt: skip

    rendered = template.render(values, "MATERIAL")

    assert "----------\nMATERIAL\n----------" in question(rendered)
    assert template.description
    assert rendered.system


def test_every_shipped_template_is_there_in_both_languages() -> None:
    names = set(templates.names([SHIPPED]))
    english = {"summarise", "translate", "commit-message", "extract", "classify"}

    assert english | {f"{one}-ru" for one in english} == names


@pytest.mark.parametrize("name", ["tpl.txt", "My prompt"])
def test_what_is_no_name_says_what_would_be(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        templates.load(name, [SHIPPED])

    hint = caught.value.hint or ""
    for part in ("llmctl templates list", ".toml", " {{ input }} "):
        assert part in hint

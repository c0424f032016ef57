"""The message catalogues: `python -m tests.catalogue` brings them up to date with the sources.

It collects every text in `_("…")` into `config/locale/llmctl.pot`, carries the changes into each
language's `llmctl.po` (what is new there is to be translated by hand, and shows in English until
then) and compiles the `.mo` that the program reads. All three are checked in; test_messages.py
says when they are stale.
"""

import ast
import io
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from llmctl.errors import LlmctlError

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "config" / "locale"
TEMPLATE = LOCALE / "llmctl.pot"
# Written by hand: Babel's own names its version and the minute, and both would change without us.
HEADER = """\
# {title}
msgid ""
msgstr ""
"Project-Id-Version: llmctl\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def extracted() -> Catalog:
    """Every text of the sources."""
    found = Catalog()
    for file, _line, text, comments, _context in extract_from_dir(
        ROOT / "llmctl",
        method_map=[("**.py", "python")],
        keywords={"_": None},
        comment_tags=("translators:",),
        strip_comment_tags=True,
    ):
        found.add(text, locations=[(f"llmctl/{file}", 0)], auto_comments=comments)
    kinds: list[type[LlmctlError]] = [LlmctlError, *LlmctlError.__subclasses__()]
    for kind in kinds:  # translated when the table is printed, where `_()` sees no literal
        found.add(kind.when, locations=[("llmctl/errors.py", 0)])
    for path in sorted((ROOT / "providers").glob("*.toml")):
        for text in warnings(path):  # translated when the model answers
            found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for path, text in command_helps():  # translated by llmctl/cli/spoken.py
        found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return found


def warnings(path: Path) -> Iterator[str]:
    """What a card wants said of its models."""
    for model in tomllib.loads(path.read_text(encoding="utf-8")).get("models", ()):
        if "warning" in model:
            yield model["warning"]


def command_helps() -> Iterator[tuple[Path, str]]:
    """The docstrings of the functions that are commands, which are what --help prints: those under
    `@app.command(…)`, and those given to `app.command(…)(module.function)`."""
    trees = {
        path: ast.parse(path.read_bytes())
        for path in sorted((ROOT / "llmctl" / "cli").glob("*.py"))
    }
    given = {name for path, tree in trees.items() for name in _registered(path.stem, tree)}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (
                (path.stem, node.name) in given or any(map(_is_command, node.decorator_list))
            ):
                text = ast.get_docstring(node)
                if text:
                    yield path, text


def _is_command(node: ast.expr) -> bool:
    """Whether it is `….command(…)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "command"
    )


def _registered(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Module and name of the functions that are made commands by a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_command(node.func):
            for one in node.args:
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                    yield one.value.id, one.attr
                elif isinstance(one, ast.Name):
                    yield module, one.id


def written(catalogue: Catalog) -> bytes:
    """The text of a catalogue: llmctl.pot when it has no language, else that llmctl.po."""
    language = str(catalogue.locale) if catalogue.locale else ""
    title = (
        f"Texts of llmctl in {catalogue.locale.english_name}."
        if catalogue.locale
        else ("Texts of llmctl, made by `python -m tests.catalogue`.")
    )
    buffer = io.BytesIO()
    write_po(
        buffer,
        catalogue,
        width=100,
        include_lineno=False,
        sort_by_file=True,
        ignore_obsolete=True,
        omit_header=True,
    )
    return HEADER.format(title=title, language=language).encode() + buffer.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The bytes of llmctl.mo; texts that are not translated are left out."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def catalogues() -> list[Path]:
    """The `.po` file of each language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/llmctl.po"))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def texts(catalogue: Catalog) -> Iterator[Message]:
    """Its messages without the header."""
    return (message for message in catalogue if message.id)


def places(text: str) -> set[str]:
    """The names of the `{name}` places of a text."""
    return {name for _before, name, _spec, _conversion in string.Formatter().parse(text) if name}


def untranslated(catalogue: Catalog) -> list[str]:
    return [str(message.id) for message in texts(catalogue) if not message.string]


def main() -> None:
    """Write the template, and bring each language up to it."""
    found = extracted()
    TEMPLATE.write_bytes(written(found))
    print(f"{TEMPLATE.relative_to(ROOT)}: {len(found)} texts")
    for path in catalogues():
        language = read(path)
        language.update(found, no_fuzzy_matching=True)
        language.obsolete.clear()
        path.write_bytes(written(language))
        path.with_suffix(".mo").write_bytes(compiled(read(path)))
        missing = untranslated(language)
        print(f"{path.relative_to(ROOT)}: {len(missing)} to translate")
        for text in missing:
            print(f"  {text!r}")


if __name__ == "__main__":
    main()

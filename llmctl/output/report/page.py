"""The document around a report: one file that fetches nothing and runs only the script it brings.

The Content-Security-Policy names style and script by their hashes, so that nothing else is applied
or run even where escaping had failed, and forbids everything that could be fetched or sent.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from llmctl.messages import language as of_messages
from llmctl.messages import lookup
from llmctl.output.report.elements import Child, Markup, escaped, tag

HERE = "llmctl.output.report"
NAMES = ("report.css", "report.js")


def document(title: str, *body: Child, language: str | None = None) -> str:
    """The whole file as text, to be written as UTF-8. `language` is the locale that texts were
    made in, by default that of messages."""
    style, script = (resource(name) for name in NAMES)
    head = Markup(
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style, script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="generator" content="llmctl">'
        f"<title>{escaped(title)}</title>"
        f"<style>{style}</style>"
    )
    content = tag("body", *body, Markup(f"<script>{script}</script>"))
    lang = escaped(shown_in(language))
    return f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>{head}</head>\n{content}\n</html>\n'


def shown_in(language: str | None = None) -> str:
    """The tag of the language that texts are in: English where there is no translation."""
    if lookup() is None:
        return "en"
    return (language or of_messages()).split(".")[0].replace("_", "-")


def policy(style: str, script: str) -> str:
    """Nothing from anywhere but this one style and this one script, and nothing sent."""
    return (
        f"default-src 'none'; style-src '{hashed(style)}'; script-src '{hashed(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


@cache
def resource(name: str) -> str:
    """A data file beside this module. Its lines end in LF, as a browser reads them before it takes
    the hash, and it cannot end the element it stands in."""
    text = (files(HERE) / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    if "</" in text:
        raise ValueError(f"{name} would end its own element")
    return text

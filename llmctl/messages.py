"""Every text a person reads passes through here, so that it can be translated.

`_()` looks a message up in the catalogue of the user's language and fills in its named values.
The gettext machinery is loaded only when the environment asks for a language other than English.
"""

import os
from collections.abc import Callable
from functools import cache

DOMAIN = "llmctl"


def language() -> str:
    """The language of messages: the first of LANGUAGE, LC_ALL, LC_MESSAGES, LANG that is set."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.split(":")[0].split(".")[0]
    return "en"


@cache
def lookup() -> Callable[[str], str] | None:
    """The catalogue's translation function, or None where messages stay English."""
    wanted = language()
    if wanted.startswith("en") or wanted in ("C", "POSIX"):
        return None
    import gettext
    import io

    from llmctl import resources

    for name in (wanted, wanted.split("_")[0]):
        catalogue = resources.config() / "locale" / name / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if catalogue.is_file():
            return gettext.GNUTranslations(io.BytesIO(catalogue.read_bytes())).gettext
    return None


def _(message: str, **values: object) -> str:
    """`message` in the user's language, with `{name}` places filled from `values`."""
    translate = lookup()
    if translate is not None and message:
        message = translate(message)
    return message.format(**values) if values else message

"""E-mail addresses; telephone numbers are in `phones`."""

from collections.abc import Collection, Iterable, Iterator

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.labels import Labels
from llmctl.privacy.detect.shape import pattern

_LOCAL_SIGNS = frozenset(".+%-_&~!$*")
_LONGEST_LOCAL = 64
_DOMAIN = (
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9\-]{2,59}|[^\W\d_]{2,24})(?![\w\-])"
    r"|\[[0-9.]{7,15}\]"
)
# Ends of file names that a picture's "@2x" would make an address of.
_FILES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "pdf", "css", "js", "ts", "jsx", "tsx"}
    | {"json", "html", "htm", "xml", "yml", "yaml", "toml", "txt", "exe", "dll", "tar", "gz", "zip"}
    | {"class", "jar", "php", "java", "mp3", "mp4", "woff", "ttf", "service", "log", "csv", "lock"}
)
# Accounts of machines, not of people: git@github.com:owner/name.git.
_MACHINES = frozenset({"git", "hg", "svn"})
_HIDDEN = r"(?i)[ ]?[\[({<][ ]?(?:at|эт|собака|dog|@)[ ]?[\])}>][ ]?"
_HIDDEN_DOMAIN = (
    r"(?i)[\w\-]{1,63}(?:(?:\.|[ ]?[\[({<][ ]?(?:dot|точка|\.)[ ]?[\])}>][ ]?)[\w\-]{1,63}){0,4}"
    r"(?:\.|[ ]?[\[({<][ ]?(?:dot|точка|\.)[ ]?[\])}>][ ]?)[^\W\d_]{2,24}(?![\w\-])"
)


def found(text: str, labels: Labels, wanted: Collection[str]) -> Iterator[Iterable[Finding]]:
    if "email" in wanted:
        yield _emails(text)
        yield _hidden(text)
    if "phone" in wanted:
        from llmctl.privacy.detect.phones import phones

        yield phones(text, labels)


def _emails(text: str) -> Iterator[Finding]:
    at = text.find("@")
    while at >= 0:
        start = _local(text, at)
        if start < at and (domain := pattern(_DOMAIN).match(text, at + 1)) is not None:
            end = domain.end()
            if _is_address(text, start, at, end):
                yield Finding("email", start, end)
        at = text.find("@", at + 1)


def _local(text: str, at: int) -> int:
    """Where the part before the `@` begins; `at` where there is none."""
    if text[at - 1 : at] == '"':
        quote = text.rfind('"', max(0, at - _LONGEST_LOCAL), at - 1)
        inside = text[quote + 1 : at - 1]
        return quote if quote >= 0 and inside and "\n" not in inside else at
    start = at
    lowest = max(0, at - _LONGEST_LOCAL)
    while start > lowest and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_SIGNS):
        start -= 1
    if start == lowest and start > 0 and text[start - 1].isalnum():
        return at  # longer than an address can be
    if text[start - 1 : start] == "'" and text[max(0, start - 2) : start - 1] in (
        "O",
        "o",
        "D",
        "d",
    ):
        start -= 2  # o'brien@
    if text[start - 1 : start] == "\\" and text[start] in "nrt":
        start += 1  # a line end as JSON writes it
    while start < at and text[start] in ".-%!&*~+$":
        start += 1
    return start if text[at - 1] != "." else at


def _is_address(text: str, start: int, at: int, end: int) -> bool:
    local, last = text[start:at], text[at + 1 : end].rpartition(".")[2]
    if local in _MACHINES or last.lower() in _FILES:
        return False
    if not (last.islower() or last.isupper() or last.istitle() or not last.isalpha()):
        return False  # obj@self.someMethod
    if text[end : end + 1] in ("(", "[") and text[end - 1] != "]":
        return False
    scheme = text.rfind("://", max(0, start - 100), start)
    # Before the @ of a URL stands who logs in where.
    return scheme < 0 or any(
        one.isspace() or one in "/?#\"'<>," for one in text[scheme + 3 : start]
    )


def _hidden(text: str) -> Iterator[Finding]:
    """`name [at] example [dot] com`, `имя (собака) пример.рф`."""
    low = text.lower()
    if not any(
        one in low
        for one in ("at]", "at)", "at }", "at>", "(эт", "[эт", "собака", "dog)", "[@", "(@")
    ):
        return
    for match in pattern(_HIDDEN).finditer(text):
        start = _local(text, match.start())
        domain = pattern(_HIDDEN_DOMAIN).match(text, match.end())
        if start < match.start() and domain is not None:
            yield Finding("email", start, domain.end())

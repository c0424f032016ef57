"""`key=value` and what people write instead: worth a warning, for it may be anything."""

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.guess import is_placeholder
from llmctl.privacy.detect.shape import pattern

# One of these must be there at all, in lower case.
_MARKS = (
    "passw", "passphrase", "pwd", "secret", "api_key", "api-key", "apikey", "api key", "access_key",
    "accesskey", "access-key", "private_key", "token", "credential", "парол", "токен", "секрет",
    "ключ", "auth_key", "authkey", "account_key", "accountkey",
)  # fmt: skip
_NAME = (
    r"(?i)(?:passw(?:or)?d|passwd|passphrase|pwd|secret(?:[_\-]?(?:access[_\-]?)?key)?"
    r"|api[_\- ]?key"
    r"|access[_\-]?key|private[_\-]?key|auth[_\-]?key|account[_\-]?key|token|credentials?"
    r"|парол[ьяюем]{1,2}|токен[а-я]{0,2}|секрет[а-я]{0,6}(?: ключ[а-я]{0,2})?"
    r"|api[\- ]ключ|ключ (?:api|доступа|авторизации|апи))"
)
_BETWEEN = (
    r"[A-Za-z0-9_\-]{0,20}[\"'\])»]{0,2}"
    r"(?:[ ](?:от|для|к|на|в|for|of|to|from|такой|был|is|was)(?:[ ][\w.«»\"@\-]{1,24}){0,3})?"
    r"[ \t]{0,8}(?::=|=>|={1,3}|:|-(?=[ ])|(?<= is)(?=[ ])|(?<= was)(?=[ ])|[ ]is(?=[ ]))"
    r"[ \t]{0,8}(?:str[ ]?=[ ]?)?"
)
_VALUE = (
    r"(?:[bfru]?\"(?P<double>[^\"\s]{4,300})\"|[bfru]?'(?P<single>[^'\s]{4,300})'"
    r"|`(?P<tick>[^`\s]{4,300})`"
    r"|«(?P<guillemets>[^»\s]{4,300})»|(?P<bare>[^\s\"'`<>,;«»]{4,300}))"
)
_CODE = (
    r"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+|/.*|\.{1,2}/.*|[a-z]+://.*"
    r"|[a-z]+(?:[_\-][a-z]+)+[0-9]{0,2}|[A-Z]+(?:_[A-Z0-9]+)+|v?[0-9.]+"
    r"|sha(?:1|256|384|512)-.*"
)
# Of what has no quotes around it.
_EXPRESSION = (
    r"[A-Za-z_][\w.:>\-]*[(\[].*|[@&*!].*|[\w.:>\-]*[(){}\[\]|\\][\w.:,>\-]*|.*[\w)\]}\\][)\]}|\\]+"
)
_LENGTH = 6
_FAR = 140
_TRIES = 50


def found(text: str) -> list[Finding]:
    low = text.lower()
    if not any(_may_assign(low, mark) for mark in _MARKS):
        return []
    findings = []
    for match in pattern(_NAME + _BETWEEN + _VALUE).finditer(text):
        kind = str(match.lastgroup)
        start, end = match.span(kind)
        if kind == "bare":
            end = start + len(text[start:end].rstrip(".:)]}!?"))
            if text[start - 1 : start] not in (" ", "\t") and text[end : end + 1] == "(":
                continue
        value = text[start:end]
        if _is_meant(value, quoted=kind != "bare"):
            findings.append(Finding("secret", start, end, "assignment", severe=False))
    return findings


def _may_assign(low: str, mark: str) -> bool:
    """Whether something that assigns stands behind the word somewhere; most prompts that speak of
    tokens and passwords hold none, and need no pattern to be compiled."""
    at = low.find(mark)
    for _try in range(_TRIES):
        if at < 0:
            return False
        behind = low[at + len(mark) : at + _FAR]
        if any(sign in behind for sign in ("=", ":", "- ", " is ", " was ")):
            return True
        at = low.find(mark, at + len(mark))
    return True


def _is_meant(value: str, *, quoted: bool) -> bool:
    """Whether it may be a value and no expression, name, type or word."""
    if len(value) < _LENGTH or is_placeholder(value):
        return False
    if pattern(_CODE).fullmatch(value):
        return False
    if not quoted and pattern(_EXPRESSION).fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    signs = len(value) - digits - letters
    cased = any(map(str.islower, value)) and any(map(str.isupper, value))
    if quoted:
        return bool(letters) and (
            bool(digits) or (signs > 0 and cased) or (cased and letters >= 12)
        )
    return bool(letters) and bool(digits) and (bool(signs) or cased or digits >= 3)

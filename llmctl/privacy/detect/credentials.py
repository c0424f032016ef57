"""What is sent to prove who one is: signed tokens, passwords in URLs, authorization headers."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.guess import (
    is_place_of_host,
    is_placeholder,
    is_random,
    is_strong,
)
from llmctl.privacy.detect.shape import begins, pattern

_COMPACT = (
    r"eyJ[A-Za-z0-9_\-]{7,2000}\.[A-Za-z0-9_\-]{2,20000}"
    r"\.[A-Za-z0-9_\-]{0,4000}(?:\.[A-Za-z0-9_\-]{1,20000}\.[A-Za-z0-9_\-]{1,4000})?"
)
_SHORTEST_SIGNATURE = 20
# The subject and the name in the token that jwt.io shows to everybody, and what libraries write.
_SAMPLE = ("1234567890", "John Doe")
_TOYS: tuple[object, ...] = (
    {}, {"some": "payload"}, {"hello": "world"}, {"foo": "bar"}, {"payload": "jwt"},
)  # fmt: skip
_IN_URL = (
    r"://([^\s/:@\"'<>`\\]{0,100}):([^\s/@\"'<>`\\]{1,200})"
    r"@(\[[0-9a-fA-F:.]{2,45}\]|[^\s/:?#\"'<>`\\@]{1,253})"
)
# What follows `curl` on its line.
_IN_CURL = (
    r"(?<=\s)(?:-u|--user|-U|--proxy-user)[ =]?"
    r"(?:'([^':\n]{1,64}):([^'\n]{1,200})'|\"([^\":\n]{1,64}):([^\"\n]{1,200})\""
    r"|([^\s:\"']{1,64}):([^\s\"'|;&]{1,200}))"
)
_FAR = 400
_HOSTS = r"[0-9]{2,5}(?:,[\w.\-]{1,253}:[0-9]{2,5}){1,50}"
_HEADER = (
    r"(?i)authorization[\"'\])]{0,3}\s{0,3}[:=,>]{0,2}\s{0,3}(?:[bfru]{0,2}[\"'`])?"
    r"(basic|bearer|token|oauth|api-key|apikey|digest)"
    r"\s{1,3}[\"'`]?([A-Za-z0-9._~+/=\-]{8,2000})"
)
# Hosts that nobody can log in to from elsewhere, or that do not exist (RFC 2606, RFC 6761).
_NOWHERE = (
    r"(?i)(?:localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1\]"
    r"|(?:[\w\-]+\.)*example(?:\.[a-z]{2,3}){0,2}|[\w\-.]+\.(?:test|invalid|localhost)"
    r"|host|hostname|server|domain|proxy|user|foo|bar)\.?"
)


def found(text: str) -> Iterator[Iterable[Finding]]:
    if "eyJ" in text:
        yield _web_tokens(text)
    if "://" in text:
        yield _in_urls(text)
    if "curl" in text:
        yield _in_commands(text)
    if "uthorization" in text or "UTHORIZATION" in text:
        yield _in_headers(text)


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _json(part: str) -> object:
    """What a part of a token says; None where it is no JSON."""
    import json

    try:
        return json.loads(_decoded(part))
    except (ValueError, RecursionError):
        return None


def _web_tokens(text: str) -> Iterator[Finding]:
    """JWS and JWE in their compact form (RFC 7515, 7516): the first part says how it was made."""
    at = text.find("eyJ")
    while at >= 0:
        end = at + 3
        if begins(text, at):
            match = pattern(_COMPACT).match(text, at)
            if match is not None:
                head = _json(match[0].partition(".")[0])
                if isinstance(head, dict) and ("alg" in head or "enc" in head):
                    end = match.end()
                    yield Finding("secret", at, end, "jwt", _is_live(match[0], head))
        at = text.find("eyJ", end)


def _is_live(token: str, head: dict[str, object]) -> bool:
    """Whether it opens anything: it is signed, and not the one of the textbooks."""
    parts = token.split(".")
    if len(parts) == 3:
        if head.get("alg") == "none" or len(parts[2]) < _SHORTEST_SIGNATURE:
            return False
        claims = _json(parts[1])
        if isinstance(claims, dict):
            sample = claims.get("sub") == _SAMPLE[0] and claims.get("name") == _SAMPLE[1]
            if sample or claims in _TOYS:
                return False
    return is_random(parts[-1])


def _in_urls(text: str) -> Iterator[Finding]:
    """The password of `scheme://user:password@host`."""
    at = text.find("://")
    while at >= 0:
        match = pattern(_IN_URL).match(text, at) if text[at - 1 : at].isalnum() else None
        if (
            match is not None
            and not is_placeholder(match[2])
            and not pattern(_HOSTS).fullmatch(match[2])  # broker1:9092,broker2:9092
            and not is_place_of_host(match[3].strip("[]"))
        ):
            user, password, host = match.groups()
            severe = (
                is_strong(password)
                and user.lower() != password.lower()
                and pattern(_NOWHERE).fullmatch(host) is None
            )
            yield Finding("secret", *match.span(2), "url-password", severe)
        at = text.find("://", at + 3)


def _in_commands(text: str) -> Iterator[Finding]:
    """The password in `curl -u user:password`."""
    for match in pattern(_IN_CURL).finditer(text):
        at = text.rfind("curl", max(0, match.start() - _FAR), match.start())
        said = text[at : match.start()].replace("\\\n", "")
        group = match.lastindex or 2
        password = match[group]
        if at >= 0 and "\n" not in said and not is_placeholder(password):
            severe = is_strong(password) and password.lower() != match[group - 1].lower()
            yield Finding("secret", *match.span(group), "basic-authorization", severe)


def _in_headers(text: str) -> Iterator[Finding]:
    for match in pattern(_HEADER).finditer(text):
        scheme, value = match[1].lower(), match[2].rstrip(".")
        start, end = match.start(2), match.start(2) + len(value)
        if scheme == "basic":
            try:
                user, colon, password = _decoded(value.rstrip("=")).decode().partition(":")
            except ValueError:
                continue
            if colon and password and not is_placeholder(password):
                severe = is_strong(password) and password != "open sesame"  # noqa: S105  # RFC 7617
                yield Finding("secret", start, end, "basic-authorization", severe and bool(user))
        elif not is_placeholder(value) and any(map(str.isdigit, value)):
            yield Finding("secret", start, end, "authorization", is_random(value))

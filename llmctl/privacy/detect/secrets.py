"""Secrets with a shape of their own: keys, private keys, tokens, passwords in URLs and headers.

What is severe looks random: `sk-xxxx`, `…EXAMPLE` and `user:password@` are what documentation is
full of, and no secrets.
"""

from collections.abc import Iterable, Iterator

from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.guess import is_random
from llmctl.privacy.detect.keyshapes import MIDDLES, SHAPES
from llmctl.privacy.detect.shape import begins, pattern

_MARK = "-----BEGIN "
_HEADER = r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_END = r"-----END (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
# A block that was cut off: lines of base64, as they stand in files, diffs and strings.
_REST = (
    r"(?:(?:\\[nrt]|[\s\"'+>|,\-]){0,24}"
    r"(?:[A-Za-z0-9+/=]{20,2000}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{1,80}))*"
    r"(?:(?:\\r)?(?:\\n|\r?\n)[ \t\"'+>|\-]{0,24}[A-Za-z0-9+/=]{2,19}(?![A-Za-z0-9]))?"
)
_LONGEST_BLOCK = 16_384
_SHORTEST_KEY = 48
# A key of two lines: what stands before the line end and what follows it.
_EARLY = 66
_HALVES = r"([\w\-.]{1,64})[=\\]?\r?\n[ \t>|+]{0,8}([A-Za-z0-9_\-.=]{16,400})"
# How the keys of RSA, of elliptic curves and of OpenSSH begin in base64, whatever they hold: what
# stands before the sign, the sign, and how many characters the part before it has.
_BODIES = (
    ("MII", "IBAAKC", 6), ("MII", "IBADANBgkqhkiG9w0BAQEF", 6), ("MI", "AgEAMBMGByqGSM49", 4),
    ("MHcCAQEEI", "MHcCAQEEI", 0), ("MIGkAgEBBD", "MIGkAgEBBD", 0),
    ("MC4CAQAwBQYDK2VwBCIEI", "MC4CAQAwBQYDK2VwBCIEI", 0),
    ("b3BlbnNzaC1rZXktdjE", "b3BlbnNzaC1rZXktdjE", 0),
)  # fmt: skip
_PUTTY = "PuTTY-User-Key-File-"
_PUTTY_END = r"Private-MAC:[ ]?[0-9a-f]{40,64}"
_PUTTY_BODY = r"Private-Lines:[ ]?[0-9]{1,3}"
_GIGACHAT = r"[MNOYZ][A-Za-z0-9]{10}t[A-Za-z0-9]{86}(?![A-Za-z0-9+/])(?:==)?"
_FREE = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
_SIGNED = ("Amz-Credential=", "AWSAccessKeyId=")
_PAIR = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_AWS = (
    r"(?i)aws[\w\-.\"']{0,20}secret[\w\-.\"']{0,20}\s{0,4}[=:]\s{0,4}"
    r"[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)


def _rarest(beginning: str) -> str:
    """A character that is in it, one that is in few texts where there is such a one."""
    return next((one for one in beginning if not one.isalnum()), beginning[0])


_BEGINNINGS = tuple(
    (_rarest(beginning), beginning, name, shape)
    for name, beginnings, shape in SHAPES
    for beginning in beginnings
)
_SIGNS = frozenset(sign for sign, *_others in _BEGINNINGS)


def shapes(text: str) -> Iterator[Iterable[Finding]]:
    """Everything that has a shape of its own, the most specific first; they may overlap."""
    yield _key_blocks(text)
    yield _key_bodies(text)
    if _PUTTY in text:
        yield _putty(text)
    yield _keys(text)
    yield _middles(text)
    yield _pairs(text)
    if "aws" in text or "AWS" in text:
        yield _aws(text)
    from llmctl.privacy.detect import credentials, keynames

    yield from credentials.found(text)
    yield keynames.found(text)


def assignments(text: str) -> list[Finding]:
    """`password = …`, `Пароль — …`: what may be a secret, worth a warning."""
    from llmctl.privacy.detect import assigned

    return assigned.found(text)


def _key_blocks(text: str) -> Iterator[Finding]:
    """A private key from its first line to its last, or to where it was cut off. A first line
    alone is a finding too, for which nobody is stopped: programs that look for keys hold it."""
    at = text.find(_MARK)
    while at >= 0:
        following = text.find(_MARK, at + 1)
        header = pattern(_HEADER).match(text, at)
        if header is not None:
            limit = following if following >= 0 else len(text)
            last = pattern(_END).search(
                text, header.end(), min(limit, header.end() + _LONGEST_BLOCK)
            )
            rest = pattern(_REST).match(text, header.end(), limit)
            end = (
                last.end() if last is not None else rest.end() if rest is not None else header.end()
            )
            body = text[header.end() : last.start() if last is not None else end]
            plain = pattern(r"\\[nrt]|[^A-Za-z0-9/=]").sub("", body)
            told = "..." not in body and "EXAMPLE" not in body
            severe = told and len(plain) >= _SHORTEST_KEY and is_random(plain[-200:])
            if not severe and last is not None and len(plain) < _SHORTEST_KEY:
                end = header.end()
            yield Finding("secret", at, end, "pem", severe)
        at = following


def _key_bodies(text: str) -> Iterator[Finding]:
    """What is left of a private key whose first line is missing."""
    for beginning, sign, before in _BODIES:
        at = text.find(sign)
        while at >= 0:
            start = at - before
            end = at + len(sign)
            if start >= 0 and text.startswith(beginning, start) and begins(text, start):
                rest = pattern(_REST).match(text, start)
                end = max(end, rest.end()) if rest is not None else end
                plain = pattern(r"\\[nrt]|[^A-Za-z0-9/=]").sub("", text[start:end])
                if len(plain) >= _SHORTEST_KEY and is_random(plain[-200:]):
                    yield Finding("secret", start, end, "pem")
            at = text.find(sign, end)


def _putty(text: str) -> Iterator[Finding]:
    """The private half of a key as PuTTY keeps it."""
    at = text.find(_PUTTY)
    while at >= 0:
        limit = at + _LONGEST_BLOCK
        body = pattern(_PUTTY_BODY).search(text, at, limit)
        last = pattern(_PUTTY_END).search(text, body.end(), limit) if body else None
        if body is not None:
            end = last.end() if last is not None else min(limit, len(text))
            severe = is_random(pattern(r"\s").sub("", text[body.end() : end])[:200])
            yield Finding("secret", at, end, "pem", severe)
            at = end
        at = text.find(_PUTTY, at + 1)


def _keys(text: str) -> Iterator[Finding]:
    there = {sign for sign in _SIGNS if sign in text}
    for sign, beginning, name, shape in _BEGINNINGS:
        if sign not in there:
            continue  # as most are: looking for each takes as long as all the rest
        at = text.find(beginning)
        while at >= 0:
            if begins(text, at):
                match = pattern(rf"(?:{shape})(?![A-Za-z0-9])").match(text, at)
                if match is not None and is_random(match[0][len(beginning) :]):
                    # In a signed URL the name of the key is for everybody to read.
                    signed = text[max(0, at - 15) : at].endswith(_SIGNED)
                    yield Finding("secret", at, match.end(), name, not signed)
                elif match is None and (end := _broken(text, at, beginning, shape)):
                    yield Finding("secret", at, end, name)
            at = text.find(beginning, at + 1)


def _broken(text: str, at: int, beginning: str, shape: str) -> int | None:
    """The end of a key that a line end has broken near its beginning."""
    start = at + len(beginning)
    if text.find("\n", start, start + _EARLY) < 0:
        return None
    halves = pattern(_HALVES).match(text, start)
    if halves is None:
        return None
    first = beginning + halves[1]
    joined = pattern(rf"(?:{shape})(?![A-Za-z0-9])").match(first + halves[2])
    if joined is None or not is_random(joined[0][len(beginning) :]):
        return None
    return halves.start(2) + joined.end() - len(first)


def _middles(text: str) -> Iterator[Finding]:
    for name, mark, before, after in MIDDLES:
        at = text.find(mark)
        while at >= 0:
            tail = pattern(rf"(?:{after})(?![A-Za-z0-9])").match(text, at)
            head = None
            if tail is not None and not text.startswith(mark, at + len(mark)):
                head = pattern(rf"{_FREE}(?:{before})\Z").search(text, max(0, at - 40), at)
            if head is not None and tail is not None:
                value = text[head.start() : tail.end()]
                if is_random(value):
                    yield Finding("secret", head.start(), tail.end(), name)
            at = text.find(mark, at + 1)


def _pairs(text: str) -> Iterator[Finding]:
    """Base64 of two UUIDs and a colon: what GigaChat gives out as a key."""
    from base64 import b64decode

    for match in pattern(_GIGACHAT).finditer(text):
        if begins(text, match.start()):
            decoded = b64decode(match[0][:98] + "==").decode("latin-1")
            if pattern(_PAIR).fullmatch(decoded) and len(set(decoded)) > 8:
                yield Finding("secret", *match.span(), "gigachat-key")


def _aws(text: str) -> Iterator[Finding]:
    for match in pattern(_AWS).finditer(text):
        if is_random(match[1]) and any(map(str.isdigit, match[1])):
            yield Finding("secret", *match.span(1), "aws-secret")

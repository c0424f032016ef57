"""Whether a value was drawn at random or thought up: a key, or a place where one would stand."""

from functools import cache
from itertools import pairwise
from math import log2
from re import Pattern

# Parts of values that documentation and tests use; by chance one of four letters stands in a key of
# forty once in ten thousand.
_EXAMPLES = (
    "example", "sample", "dummy", "placeholder", "changeme", "change-me", "change_me", "redacted",
    "your", "xxxx", "****", "....", "insert", "replace", "fakekey", "fake-", "fake_", "-fake",
    "_fake", "foobar", "test-", "test_", "-test", "_test", "mykey", "my-key", "my_key", "notreal",
    "not-a-real", "not_a_real", "0123456789", "1234567890", "abcdefgh", "qwertyui",
)  # fmt: skip
# Passwords that are no secrets wherever they stand.
_NO_PASSWORDS = frozenset((
    "password", "passwd", "passw", "pass", "pwd", "pw", "passphrase", "secret", "secrets",
    "hunter2", "token", "key", "apikey", "api_key", "user", "username", "usr", "login", "admin",
    "administrator", "root", "guest", "default", "postgres", "mysql", "redis", "rabbitmq",
    "mongo", "test", "testing", "tests", "tester", "foo", "bar", "baz", "foobar", "abc",
    "abc123", "test123", "pass123", "admin123", "password1", "password123", "passw0rd",
    "p@ssw0rd", "pa55word", "qwerty", "qwerty123", "letmein", "welcome", "changeit", "changeme",
    "mypass", "mypassword", "my_password", "my-password", "mysecret", "mysecretpassword",
    "supersecret", "topsecret", "secret123", "s3cr3t", "s3cret", "secret1", "verysecret",
    "string", "str", "text", "none", "null", "nil", "true", "false", "undefined", "value",
    "hidden", "masked", "required", "optional", "unknown", "empty", "todo", "tbd", "xxx", "yyy",
    "zzz", "пароль", "секрет", "токен", "ключ", "логин", "example", "sample", "credentials",
    "cred", "creds", "userpass", "basic", "bearer", "anonymous", "nobody", "somebody", "someone",
))  # fmt: skip
# What stands where a value would: all of it (`$VAR`, `%s`, `[password]`, `***`), or what a program
# puts into it (`${VAR}`, `{{ var }}`, `%(var)s`, `{var}`, `<var>`).
_PLACES = (
    r"^\$(?:[A-Z_][A-Z0-9_]*|[a-z_][A-Za-z_]*|[0-9@*#])$"
    r"|^%(?:[a-zA-Z_]\w*%|[sdr])$|^\[.*\]$|^\(.*\)$|^<.*>$"
    r"|^\{.*\}$|^[*•●.]+$|^x+$|^(.)\1+$|^-+$|\*\*\*|\.\.\.|…|\\x[0-9a-f]{2}"
    r"|[$#]\{[^}]*\}|\{\{.*\}\}|\$\([^)]*\)|%\([a-zA-Z_]\w*\)s|\{[a-zA-Z_][\w.]*(?:![rsa])?\}"
    r"|<[a-zA-Z][\w \-]*>"
)
_PLACE_OF_HOST = r"[<>{}$%*\[\]()]|\.\.\.|…"
_SHORTEST = 16
# Bits a character that drawn values of so many characters hardly ever fall below.
_BITS = ((20, 2.75), (32, 3.2), (1 << 30, 3.6))
_BITS_HEX = 2.8
_LONGEST_ROW = 5


@cache
def _places() -> Pattern[str]:
    import re

    return re.compile(_PLACES)


@cache
def _words() -> Pattern[str]:
    import re

    return re.compile(r"[A-Z][a-z]{3,}|(?<![A-Za-z0-9])[a-z]{3,}(?=[_\-.]|$)")


def is_place_of_host(value: str) -> bool:
    """Whether the name of a host is one that a program puts in: `$HOST`, `<host>`, `{host}`."""
    import re

    return re.search(_PLACE_OF_HOST, value) is not None


def is_example(value: str) -> bool:
    """Whether a key is one of those that stand in documentation."""
    low = value.lower()
    return any(one in low for one in _EXAMPLES)


def is_placeholder(password: str) -> bool:
    """Whether a password is a word for passwords, a variable or a row of one sign."""
    low = password.lower().strip("-_.:")
    plain = low.rstrip("0123456789!")
    return (
        low in _NO_PASSWORDS
        or plain in _NO_PASSWORDS
        or low.replace("-", "").replace("_", "") in _NO_PASSWORDS
        or _all_known(low)
        or _places().search(password) is not None
        or any(one in low for one in _EXAMPLES)
    )


def _all_known(low: str) -> bool:
    """Whether every word of it is one of those: `a secret`, `not-secret`."""
    from urllib.parse import unquote

    words = "".join(one if one.isalnum() else " " for one in unquote(low)).split()
    long = [one for one in words if len(one) > 3]
    return bool(long) and all(one in _NO_PASSWORDS for one in long)


def is_random(value: str) -> bool:
    """Whether a value of sixteen characters or more looks drawn: no words, no row of the keyboard,
    as many different signs as chance gives."""
    if len(value) < _SHORTEST or is_example(value):
        return False
    letters = [one for one in value if one.isalpha()]
    digits = sum(map(str.isdigit, value))
    if not digits and not 0.25 <= sum(map(str.isupper, letters)) / max(1, len(letters)) <= 0.75:
        return False
    head = value[:200]
    if sum(map(len, _words().findall(value))) >= len(value) * 0.6:
        return False  # WordsLikeThese, words_like_these
    if _longest_row(head) > _LONGEST_ROW:
        return False
    hexadecimal = all(one in "0123456789abcdef" for one in value.lower())
    least = next(bits for size, bits in _BITS if len(head) < size)
    return entropy(head) >= (_BITS_HEX if hexadecimal else least)


def entropy(value: str) -> float:
    """Bits a character."""
    size = len(value)
    counts = [value.count(one) for one in set(value)]
    return -sum(count / size * log2(count / size) for count in counts)


def _longest_row(value: str) -> int:
    """The longest row of signs that repeat (`aaaa`) or count (`abcd`, `4321`)."""
    longest = run = 1
    step_before = None
    for one, other in pairwise(value):
        step = ord(other) - ord(one)
        run = (
            run + 1
            if step in (-1, 0, 1) and step == step_before
            else 2
            if step in (-1, 0, 1)
            else 1
        )
        step_before = step
        longest = max(longest, run)
    return longest


def is_strong(password: str) -> bool:
    """Whether a password was meant to keep somebody out."""
    if len(password) < 8 or is_placeholder(password):
        return False
    kinds = (str.islower, str.isupper, str.isdigit, lambda one: not one.isalnum())
    return sum(any(map(kind, password)) for kind in kinds) >= 2 and len(set(password)) >= 5

"""Hostile text takes time in proportion to its length: every pattern, every sign that begins
something. What is compared is processor time, fourfold text against the text itself, so that a
quadratic search (sixteenfold) stands out on a busy machine too."""

import time

import pytest

from llmctl.privacy.detect import find
from llmctl.privacy.detect.keyshapes import MIDDLES, SHAPES

SIZE = 1 << 13
UNITS = (
    "a", "1", "ж", " ", "\n", "x.", "@", "a@", "a@b.", "@b.", ".@b.", "-----BEGIN ", "=", "==", "+",
    "-----BEGIN PRIVATE KEY-----", "eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9.", "://", "a://b:c",
    "://a:",
    '"', '"@', "(", "8(", "8 ", "7", "+7", "+7 ", "12-", "1 ", "1.", "1/", "4", "4111 ", "41111111",
    "4111111111111111 ", "112-233-445 95 ", "112-", "ИНН ", "ИНН 1", "инн", "инн1", "ОГРН 1 ",
    "GB82",
    "GB82 ", "de89 3", "паспорт", "паспорт 1", "серия ", "серия 4509", "номер ", "тел", "тел. ",
    "тел.1", "тел 1-", "звоните ", "password", "password=", "password: a", "password ", "пароль ",
    "пароль от ", "secret key ", "token", "token is ", "authorization:", "Authorization: Basic ",
    "Authorization: Bearer a", "aws_secret", "aws_secret=", "[at]", "a[at]", "a [at] b.",
    "(собака)",
    "\u00ad", "\u00a0", "１", "-", "_", "\\n", "\\n1", "a,1", "ИНН,1\n", "инн;тел\n1;2\n", "a  1  ",
    "|1|", "0", "aB3", "MA", "MDEy", "order 1", "card 4", "№", "№1",
    "\\u0040", "%40", "%D0%98", "&#64;", "&amp", "=3D", "\x1b[", "\\_", "\\u", "%", "sk-\n",
    "sk-a\n",
    "api-key", "api-key: ", "MISTRAL_API_KEY=", "curl ", "curl -u ", "curl -u a:b ", "${", "{{",
    "://a:$", "M", "Mt", "MIIEpAIBAAKC", "IBAAKC", "MHcCAQEEI", "PuTTY-User-Key-File-2",
    "Private-Lines: 1", "4111.", "8(38-52", "серия 4509\n", "серия 4509 номер ", "IBANDE89",
    *(beginning for _name, beginnings, _shape in SHAPES for beginning in beginnings),
    *(beginning + "a1" for _name, beginnings, _shape in SHAPES for beginning in beginnings),
    *(mark for _name, mark, _before, _after in MIDDLES),
)  # fmt: skip


def seconds(text: str) -> float:
    """The better of two, in processor time."""
    measured = []
    for _round in range(2):
        begun = time.process_time()
        find(text)
        measured.append(time.process_time() - begun)
    return min(measured)


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text(unit: str) -> None:
    one = unit * (SIZE // len(unit))
    find(one[:1000])  # compiles the patterns

    once, fourfold = seconds(one), seconds(one * 4)

    # A quadratic search takes sixteen times as long; what takes next to nothing is not judged.
    assert fourfold < 9 * once + 0.02


@pytest.mark.parametrize("unit", ["a", "1", "x.", "@", "eyJ", "://", "-----BEGIN ", " ", "ж"])
def test_a_megabyte(unit: str) -> None:
    text = unit * ((1 << 20) // len(unit))
    find(text[:1000])

    begun = time.process_time()
    find(text)

    assert time.process_time() - begun < 5  # a quadratic search takes hours

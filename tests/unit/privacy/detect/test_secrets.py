"""Keys, tokens, private keys, passwords. All are made up here, at run time, in the published
shapes: no scanner of secrets may take this file for one."""

import base64
import json
import random
import string

import pytest

from llmctl.privacy.detect import find
from llmctl.privacy.detect.keyshapes import SHAPES
from tests.unit.privacy.detect.marked import read

LETTERS = string.ascii_letters
ALNUM = LETTERS + string.digits
WEB = ALNUM + "-_"
HEX = "0123456789abcdef"
CAPITALS = string.ascii_uppercase + "234567"


def drawn(signs: str, count: int, seed: int = 0) -> str:
    """Letters last, so that no sign at the end is taken for punctuation."""
    chance = random.Random(f"{signs}{count}{seed}")
    return "".join(chance.choices(signs, k=count - 1)) + chance.choice("abcdef")


def keys(seed: int = 0) -> dict[str, list[str]]:
    """Made-up keys by the name that their finding has."""

    def one(beginning: str, signs: str, count: int, end: str = "") -> str:
        return beginning + drawn(signs, count, seed) + end

    uuid = "-".join(drawn(HEX, size, seed + size) for size in (8, 4, 4, 4, 12))
    pair = base64.b64encode(f"{uuid}:{uuid[::-1].replace('-', '')[:8]}{uuid[8:]}".encode()).decode()
    return {
        "openai-key": [
            one("sk-" + "proj-", WEB, 48), one("sk-" + "proj-", WEB, 156),
            one("sk-" + "svcacct-", WEB, 60), one("sk-" + "admin-", WEB, 60),
        ],
        "api-key": [
            "sk-" + drawn(ALNUM, 20, seed) + "T3BlbkFJ" + drawn(ALNUM, 20, seed + 1),
            one("sk-", HEX, 32), one("sk-", ALNUM, 48),
        ],
        "anthropic-key": [one("sk-" + "ant-api03-", WEB, 95), one("sk-" + "ant-oat01-", WEB, 64)],
        "openrouter-key": [one("sk-" + "or-v1-", HEX, 64)],
        "google-key": [one("AI" + "za", WEB, 35)],
        "huggingface-token": [one("hf" + "_", LETTERS, 34), one("hf" + "_", ALNUM, 37)],
        "yandex-key": [one("AQ" + "VN", WEB, 36), one("AQ" + "VN", WEB, 35)],
        "yandex-token": ["t1" + "." + drawn(WEB, 100, seed) + "." + drawn(WEB, 86, seed)],
        "yandex-oauth": [one("y0" + "_", WEB, 58), one("AQ" + "AAAA", WEB, 33)],
        "gigachat-key": [pair],
        "groq-key": [one("gs" + "k_", ALNUM, 52)],
        "xai-key": [one("xa" + "i-", ALNUM, 80)],
        "perplexity-key": [one("pp" + "lx-", ALNUM, 48)],
        "together-key": [one("tgp" + "_v1_", WEB, 43)],
        "github-token": [one("gh" + "p_", ALNUM, 36), one("gh" + "o_", ALNUM, 36),
                         one("github" + "_pat_", ALNUM, 22) + one("_", ALNUM, 59)],
        "gitlab-token": [one("gl" + "pat-", WEB, 20)],
        "npm-token": [one("np" + "m_", ALNUM, 36)],
        "pypi-token": [one("py" + "pi-AgE", WEB, 150)],
        "aws-key": ["AK" + "IA" + drawn(CAPITALS, 15, seed).upper() + "Q"],
        "slack-token": [one("xo" + "xb-" + "436606191581-626852985895-", ALNUM, 24)],
        "stripe-key": [one("sk" + "_live_", ALNUM, 24)],
        "telegram-token": [drawn(string.digits[1:], 10, seed)[:-1] + "7:AA" + drawn(WEB, 33, seed)],
        "sendgrid-key": ["SG" + "." + drawn(WEB, 22, seed) + "." + drawn(WEB, 43, seed)],
        "nvidia-key": [one("nv" + "api-", WEB, 64)],
        "vault-token": [one("hv" + "s.", WEB, 90)],
        "digitalocean-token": [one("dop" + "_v1_", HEX, 64)],
        "databricks-token": [one("da" + "pi", HEX, 32)],
    }  # fmt: skip


SAID = """\
@
key @ expired
Ключ @, отзовите
export API_KEY=@
"@"
'key': '@',
{"api_key":"@"}
+    api_key = "@"
-KEY=@
https://example.com/?key=@&x=1
"line\\\\n@\\\\n"
`@`
токен: @.
(@)
"""


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", keys())
def test_key(name: str, seed: int) -> None:
    for key in keys(seed)[name]:
        for line in SAID.splitlines():
            text, spans = read(line.replace("\\\\n", "\\n").replace("@", f"⟦{key}⟧"))
            got = [(one.name, one.start, one.end, one.severe) for one in find(text)]

            assert got == [(name, *span, True) for span in spans], text


def test_a_key_that_is_a_piece_of_a_word_is_none() -> None:
    for kind, (key, *_more) in keys().items():
        if kind != "gigachat-key":
            assert not [one for one in find("x" + key) if one.severe and one.start <= 1], kind


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "x" * 48, "sk-...", "sk-proj-...",
        "sk-" + "proj-" + "x" * 40, "OPENAI_API_KEY=sk-xxxx",
        "sk-" + "ant-api03-your-key-goes-here-0123456789", "AKIA" + "IOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY", "hf_" + "x" * 34, "hf_" + "a" * 34,
        "gh" + "p_" + "0123456789abcdefghijklmnopqrstuvwxyz", "ghp_" + "A" * 36, "AIza" + "0" * 35,
        "sk-fading-circle-and-folding-cube-animations", "class='sk-cube-grid sk-cube1'",
        "hf_hub_download_and_extract_all_files_now", "npm_config_registry_and_other_variables_",
        "hf_ThisIsMyHuggingFaceTokenForAllTests", "sk-or-v1-" + "0" * 64, "t1.medium",
        "t1.micro.large",
        "xai-org/grok-1", "pplx-api", "gsk_", "AQVNtest", "y0_" + "a" * 55, "SG.1.2", "AKIA",
        "git commit 11f6ad8ec52a2984abaafd7c3b516503785c2072",
        "sha256:a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa",
        "8b255427-c173-493d-b3b9-a72b9ea6a4e4", "integrity sha512-" + "Ab3" * 28 + "==",
        "data:image/png;base64," + base64.b64encode(bytes(range(200))).decode(),
        "https://user:password@example.com", "https://user:pass@host", "postgres://u:$PASS@db/x",
        "postgres://u:${DB_PASSWORD}@db/x", "mysql://root:<password>@db", "redis://:***@cache:6379",
        "https://{user}:{password}@{host}/", "http://user:xxx@proxy",
        "amqp://guest:guest@rabbit:5672",
        "postgres://postgres:postgres@localhost:5432", "https://example.com:8080/@x", "a://b:c",
        "Authorization: Bearer $TOKEN", "Authorization: Bearer <token>", "Authorization: Basic ...",
        "Authorization: Bearer YOUR_API_KEY", "Authorization: Basic " + "dXNlcjpwYXNz",
        "password = get_password()", "password: str", "token = os.environ['TOKEN']", "secret=None",
        "self.token = token", "password: string;", 'password = ""', "password = '***'",
        "api_key: <your key>", "token: ${{ secrets.GITHUB_TOKEN }}", "tokens = 4096",
        "max_tokens=1024",
        "Password:", "What is a token?", "the secret is out", "Пароль — это набор символов",
        "Ключ — обязательное поле", "забыл пароль: что делать?", "token_count = len(tokens)",
        'password = "changeme"', "PASSWORD=password", "passwd=example", "pwd: /home/user/x1",
        "secret: my-secret-name", 'key = "value"', "api_key = config.api_key", "token=token2",
        "csrf_token = models.CharField(max_length=255)", '"token": "string"', "password: hidden",
        "секретный рецепт: 100 г муки", "ключ от квартиры: под ковриком", "public key: 12",
    ],
)  # fmt: skip
def test_no_secret(text: str) -> None:
    assert find(text, types=["secret"]) == []


# ---- private keys


def block(kind: str = "RSA ", size: int = 1200, end: str = "\n", first: str = "") -> str:
    body = base64.b64encode(random.Random(size).randbytes(size)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    mark = "PRIVATE KEY"
    whole = [f"-----BEGIN {kind}{mark}-----", *lines, f"-----END {kind}{mark}-----"]
    return end.join([whole[0], *(first + one for one in whole[1:])])


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "])
@pytest.mark.parametrize("size", [48, 600, 2400])
def test_a_private_key_is_one_finding(kind: str, size: int) -> None:
    for end, first in (
        ("\n", ""),
        ("\r\n", ""),
        ("\\n", ""),
        ("\n", "+"),
        ("\n", "    "),
        ("\n", "> "),
    ):
        key = block(kind, size, end, first)
        text = f"key:\n{first}{key}\nthe end"
        start = text.index("-----BEGIN")

        got = [(one.name, one.start, one.end, one.severe) for one in find(text)]

        assert got == [("pem", start, start + len(key), True)]


def test_a_private_key_that_was_cut_off() -> None:
    whole = block()
    cut = whole[: whole.index("-----END") - 300]

    got = [(one.name, one.start, one.end, one.severe) for one in find(f"{cut}\n\nand then?")]

    assert got == [("pem", 0, len(cut), True)]


def test_the_first_line_alone_stops_nobody() -> None:
    line = "-----BEGIN RSA " + "PRIVATE KEY-----"

    assert [(one.start, one.end, one.severe) for one in find(line)] == [(0, len(line), False)]
    assert [one.severe for one in find(f'if text.startswith("{line}"):\n    return 1')] == [False]
    assert [one.severe for one in find(f"{line}\nMII...\n" + line.replace("BEGIN", "END"))] == [
        False
    ]
    assert find("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----") == []
    assert find("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----") == []


# ---- tokens


def web_token(head: object, claims: object, signature: str | None = None) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
             for one in (head, claims)]  # fmt: skip
    return ".".join([*parts, drawn(WEB, 43) if signature is None else signature])


def test_a_signed_token() -> None:
    token = web_token({"alg": "HS256", "typ": "JWT"}, {"sub": "42", "exp": 1764000000})
    text = f"Authorization: Bearer {token}"

    assert [(one.name, one.start, one.severe) for one in find(text)] == [("jwt", 22, True)]
    assert [one.end for one in find(f"{token}, and")] == [len(token)]


def test_tokens_that_open_nothing() -> None:
    sample = web_token(
        {"alg": "HS256"}, {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}
    )
    toys = (
        sample,
        web_token({"alg": "HS256"}, {"some": "payload"}),
        web_token({"alg": "none"}, {"sub": "42"}, ""),
        web_token({"alg": "HS256"}, {"sub": "42"}, "signature"),
    )

    assert [one.severe for toy in toys for one in find(toy)] == [False] * len(toys)
    assert find(web_token({"kid": "1"}, {"sub": "42"})) == []  # nothing says that it is one
    assert find("eyJ.eyJ.eyJ eyJhbGciOiJub25lIn0 eyJhbGciOi") == []


# ---- passwords

PASSWORD = "s3cr3t" + "Passw0rd"


def severity(text: str) -> list[tuple[str, bool]]:
    return [(text[one.start : one.end], one.severe) for one in find(text, types={"secret"})]


def test_the_password_of_a_url() -> None:
    assert severity(f"postgres://app:{PASSWORD}@db.internal:5432/prod") == [(PASSWORD, True)]
    assert severity(f"https://ivan:{PASSWORD}@git.company.ru/x.git") == [(PASSWORD, True)]
    assert severity(f"redis://:{PASSWORD}@10.0.0.5:6379/0") == [(PASSWORD, True)]
    assert severity(f"DATABASE_URL=mysql://u:{PASSWORD}@db/x") == [(PASSWORD, True)]
    # Nobody can log in there from elsewhere.
    assert severity(f"postgres://app:{PASSWORD}@localhost/x") == [(PASSWORD, False)]
    assert severity(f"https://app:{PASSWORD}@api.example.com/x") == [(PASSWORD, False)]
    assert severity("https://app:short1@git.company.ru") == [("short1", False)]


def test_authorization() -> None:
    basic = base64.b64encode(f"ivan:{PASSWORD}".encode()).decode()
    token = drawn(ALNUM, 40)

    assert severity(f"Authorization: Basic {basic}") == [(basic, True)]
    assert severity(f"curl -H 'Authorization: Bearer {token}' x") == [(token, True)]
    assert severity(f'"authorization": "Bearer {token}"') == [(token, True)]
    assert severity(f"AUTHORIZATION: token {token}") == [(token, True)]
    assert severity("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == [
        ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", False)  # RFC 7617's own
    ]


@pytest.mark.parametrize(
    "line",
    [
        "password: @", "password=@", 'password = "@"', "Password: @.", "DB_PASSWORD=@", "пароль: @",
        "Пароль — @", "Пароль - @", "пароль от базы: @", "Пароль: @", "the password is @", "pwd=@",
        "passwd: '@'", '{"password": "@"}', "db_password: @", "dbPassword = '@';", "секрет: @",
        "MISTRAL_API_KEY=@", "api_key: @", "api-key = @", "X-Api-Key: @", "token = '@'", "токен: @",
        "secret_key = '@'", "client_secret=@", "access_key: @", "passphrase: @",
        "PASSWORD := \"@\"",
        "password => '@'", "пароль для входа: @", "ключ доступа: @", "«пароль»: «@»", "API ключ: @",
        "password for the database: @", "credentials: @", "password\u00a0—\u00a0@", "auth_key=@",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "value", ["Qw3rty!Zxcv98", "tr0ub4dor&3", "hunter2-Tr0ub4dor", "a8Xk2pQ9zL"]
)
def test_an_assignment_only_warns(line: str, value: str) -> None:
    text = line.replace("@", value)

    assert severity(text) == [(value, False)]


def test_the_secret_half_of_an_aws_key_has_no_beginning_but_its_name() -> None:
    value = drawn(ALNUM + "/+", 40)

    assert severity(f"aws_secret_access_key = {value}") == [(value, True)]
    assert severity(f'"AWS_SECRET_ACCESS_KEY": "{value}"') == [(value, True)]


def test_the_key_in_a_signed_url_is_public() -> None:
    key = keys()["aws-key"][0]

    assert severity(f"https://b.s3.amazonaws.com/x?X-Amz-Credential={key}%2F2026") == [(key, False)]


def test_every_shape_is_bounded_and_begins_with_its_beginning() -> None:
    import re

    for name, beginnings, shape in SHAPES:
        assert "*" not in shape.replace("\\*", ""), name
        assert "+" not in re.sub(r"\[[^]]*\]", "", shape), name
        assert beginnings, name

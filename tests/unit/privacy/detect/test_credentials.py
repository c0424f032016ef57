"""Keys by the names that they are given, passwords of commands, headers in code, what is left of
private keys; and what only looks like one of these."""

import base64
import random
import tomllib

import pytest

from llmctl import resources
from llmctl.privacy.detect import find
from llmctl.privacy.detect.keynames import HEADERS, VARIABLES
from tests.unit.privacy.detect.test_secrets import ALNUM, HEX, WEB, block, drawn, web_token

MIXED, HEXADECIMAL = drawn(ALNUM, 32), drawn(HEX, 32)
PASSWORD = "Tr0ub4dor" + "-x9"


def severe(text: str) -> list[str]:
    return [text[one.start : one.end] for one in find(text, types={"secret"}) if one.severe]


@pytest.mark.parametrize("value", [MIXED, HEXADECIMAL])
@pytest.mark.parametrize(
    "line",
    [
        "MISTRAL_API_KEY=@", "export AZURE_OPENAI_API_KEY='@'", '{"MISTRAL_API_KEY": "@"}',
        'os.environ["COHERE_API_KEY"] = "@"', "- name: MISTRAL_API_KEY\n  value: @",
        "ENV MISTRAL_API_KEY @", "mistral_api_key: @", "docker run -e MISTRAL_API_KEY=@ x",
        "api-key: @", "x-api-key: @", "curl -H 'api-key: @' x", '"X-Api-Key": "@",',
        "MISTRAL_API_KEY=@.",
    ],
)  # fmt: skip
def test_the_key_of_a_provider_by_its_name(line: str, value: str) -> None:
    assert severe(line.replace("@", value)) == [value]


@pytest.mark.parametrize(
    "text",
    ["MISTRAL_API_KEY=your-mistral-api-key-goes-here", "MISTRAL_API_KEY=${MISTRAL_API_KEY_OF_TEAM}",
     "MISTRAL_API_KEY environment variable", "api-key: the-name-of-the-key-of-your-resource-2",
     "OPENAI_API_KEY = config.providers.openai.api_key_2", f"SOME_HASH={HEXADECIMAL}",
     "mistral_api_key = get_secret_value_of_version_2(name)"],
)  # fmt: skip
def test_a_name_without_a_key(text: str) -> None:
    assert severe(text) == []


def test_every_card_names_its_key() -> None:
    """What a card says of the variables and the header of its key is looked for."""
    for file in resources.providers().iterdir():
        if file.name.endswith(".toml"):
            auth = tomllib.loads(file.read_text("utf-8")).get("auth", {})
            kept = {name for name in auth.get("env", ()) if not name.endswith(("_FILE", "_USER"))}

            assert kept <= set(VARIABLES), file.name
            assert auth.get("header", "api-key").lower() in HEADERS, file.name


@pytest.mark.parametrize(
    "line",
    ["headers['Authorization'] = 'Bearer @'", '"Authorization": f"Bearer @"',
     'request.set("Authorization", "Bearer @")', "headers.Authorization = `Bearer @`",
     "'Authorization' => 'Bearer @'"],
)  # fmt: skip
def test_a_header_in_code(line: str) -> None:
    assert severe(line.replace("@", MIXED)) == [MIXED]
    assert severe(line.replace("@", "{token}")) == []


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("curl -u ivan:@ https://x.ru", PASSWORD), ("curl -s --user 'ivan:@' x", PASSWORD + " &"),
        ('curl --user="ivan:@" x', PASSWORD), ("curl https://x \\\n  -u ivan:@ \\\n -s", PASSWORD),
    ],
)  # fmt: skip
def test_the_password_of_a_command(line: str, password: str) -> None:
    assert severe(line.replace("@", password)) == [password]


def test_no_password_of_a_command() -> None:
    for line in ("curl -u $USER:$PASS x", "curl -u user:password x", "sudo -u root:wheel1-Abc x",
                 f"curl x\nchown -u ivan:{PASSWORD} y", "curl -u ivan x"):  # fmt: skip
        assert severe(line) == [], line


def test_a_token_with_any_claims_is_live() -> None:
    signed = web_token({"alg": "HS256"}, {"session_of": "ivan"})

    assert severe(signed) == [signed]
    assert severe(web_token({"alg": "HS256"}, {})) == []


def test_what_is_left_of_a_private_key() -> None:
    """The first bytes of DER (PKCS #1, PKCS #8, SEC 1) and of OpenSSH's own format."""
    for head, size in (
        ("308204a40201000282010100", 1192),
        ("308204be020100300d06092a864886f70d010101050004", 1195),
        ("308187020100301306072a8648ce3d020106", 120), ("30770201010420", 114),
        (b"openssh-key-v1\0".hex(), 400),
    ):  # fmt: skip
        body = base64.b64encode(bytes.fromhex(head) + random.Random(1).randbytes(size)).decode()
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))

        assert severe(f"the key:\n{lines}\n\nend") == [lines], head


def test_the_public_half_is_no_secret() -> None:
    body = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00")
    public = base64.b64encode(body + random.Random(1).randbytes(270)).decode()

    assert severe(public) == []


def test_a_key_of_putty() -> None:
    public, private = (base64.b64encode(random.Random(n).randbytes(300)).decode() for n in (1, 2))
    mac = drawn(HEX, 40)
    text = (
        f"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: me\nPublic-Lines: 1\n{public}"
        f"\nPrivate-Lines: 1\n{private}\nPrivate-MAC: {mac}"
    )

    assert severe(f"x\n{text}\ny") == [text]
    assert severe("a file of PuTTY begins with PuTTY-User-Key-File-2: ssh-rsa") == []


def test_a_private_key_is_still_one_finding() -> None:
    key = block()

    assert severe(key) == [key]


@pytest.mark.parametrize(
    "text",
    ["SELECT t1.payment_method_id_v2_backup FROM t1", "t1.SalesAmountCurrentYear2024Total",
     "kafka://broker1:9092,broker2:9092@cluster", "AKIA" + "TEAMSCHEDULE2025",
     "y0_translation_table_for_all_of_the_2_languages_in_the_project_x1",
     "t1." + drawn(WEB, 60)],
)  # fmt: skip
def test_names_in_code_are_no_keys(text: str) -> None:
    assert severe(text) == []


@pytest.mark.parametrize(
    "place",
    ["$PASS", "$db_password", "${PASS}", "$(cat pass)", "{{ pass }}", "{password}", "<password>",
     "[password]", "%s", "%(password)s", "%PASS%", "***", "#{pass}", "x-${PASS}-1", "••••••••"],
)  # fmt: skip
def test_what_stands_where_a_password_would(place: str) -> None:
    assert find(f"postgres://app:{place}@db.internal/x") == []
    assert find(f'password = "{place}"') == []


@pytest.mark.parametrize("password", ["pa$$W0rd%x", "a{b]C(d9*e", "Q%w(e)R5[t}y"])
def test_a_password_may_hold_any_sign(password: str) -> None:
    text = f"postgres://app:{password}@db.internal/x"
    assert severe(text) == [password]
    text = f'password = "{password}"'
    assert [text[one.start : one.end] for one in find(text)] == [password]

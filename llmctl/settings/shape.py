"""The settings there are. These classes are the schema: what pydantic checks files against, and
what the rest of the program reads. Seconds for times, USD-like strings for nothing here."""

from collections.abc import Mapping
from typing import Annotated, Literal

from llmctl.structure import Count, Range, Several
from llmctl.types import NOTHING, Json, Level
from llmctl.values import dataclass, field

Seconds = Annotated[float, Range(above=0)]
Patience = Annotated[float, Range(least=0)]


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
    waiting together, `timeout` the whole call."""

    proxy: str | None = None
    ca_file: str | None = None
    connect_timeout: Seconds = 10.0
    idle_timeout: Seconds = 120.0
    timeout: Seconds | None = None
    retries: Count = 4
    backoff: Patience = 0.5
    max_wait: Patience = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The model inside the process: tokens of context, threads (half of the cores by default)."""

    context: Several | None = None
    threads: Several | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be sent where. Every layer may only tighten; None forbids nothing.

    `max_level` is the worst privacy level allowed, `regions` the only ones data may go to.
    """

    max_level: Level | None = None
    regions: tuple[str, ...] | None = None
    max_retention_days: Count | None = None
    no_training: bool = False
    open_weights: bool = False
    secrets: Literal["allow", "redact", "block"] | None = None
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    log_bodies: bool = True

    @property
    def local_only(self) -> bool:
        return self.max_level is Level.DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A statement about an account that only its owner can make, by whom and since when."""

    by: str | None = None
    since: str | None = None


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
    attest: Mapping[str, Attested] = NOTHING
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
    providers: Mapping[str, ProviderSettings] = NOTHING
    aliases: Mapping[str, str] = NOTHING

"""How far what is sent gets: by an address, by what is done with data, and one step worse."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl.settings import ProviderSettings, Settings
from llmctl.transport.egress import is_local, literal, names_own_network
from llmctl.types import Level

if TYPE_CHECKING:
    from llmctl.cards import Card

HERE = (Level.DEVICE, Level.NETWORK)


def distance(base_url: str) -> Level:
    """How far away an address is, by its spelling alone; names are not looked up."""
    host = urlsplit(base_url).hostname or ""
    if is_local(host):
        return Level.DEVICE
    address = literal(host)
    if address is None:
        return Level.NETWORK if names_own_network(host) else Level.UNKNOWN
    return Level.NETWORK if address.is_private and not address.is_unspecified else Level.UNKNOWN


def is_inside(card: "Card", base_url: str) -> bool:
    """Whether the model runs inside this process."""
    return card.kind == "embedded" and base_url.startswith("llama:")


def is_own(card: "Card", base_url: str) -> bool:
    """Whether a call runs on a machine of the user's own, as far as its address tells: a server of
    a kind that people run themselves is somebody else's all the same at an address outside."""
    return is_inside(card, base_url) or (card.kind != "api" and distance(base_url) in HERE)


def reached(base_url: str, own: ProviderSettings, settings: Settings) -> Level:
    """How far what is sent to a server of the user's own gets: to the server, and in the clear to
    the proxy before it."""
    from llmctl.transport.proxy import proxy_for

    away = distance(base_url)
    if away is Level.DEVICE or urlsplit(base_url).scheme == "https":
        return away
    proxy = proxy_for(base_url, own.proxy or settings.network.proxy)
    if proxy is None:
        return away
    return worse(away, distance(f"//{proxy.host}"))


def following(trains: str, retention_days: int | None) -> Level:
    """The level that what a third party does with data comes to."""
    match trains:
        case "yes":
            return Level.MAY_TRAIN
        case "no":
            return Level.NO_TRAINING if retention_days != 0 else Level.ZERO_RETENTION
        case _:
            return Level.UNKNOWN


def worse(one: Level, other: Level) -> Level:
    return max(one, other, key=lambda level: level.rank)


def better(one: Level, other: Level) -> Level:
    return min(one, other, key=lambda level: level.rank)


def one_step_worse(level: Level) -> Level:
    levels = list(Level)
    return levels[min(level.rank + 1, len(levels) - 1)]

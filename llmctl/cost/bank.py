"""The daily list of the Bank of Russia: fetched, and read with nothing in it trusted.

The document is XML in windows-1251: `<ValCurs Date="20.11.2026">` with a `<Valute>` a currency,
in it `CharCode`, `Nominal` (so many units, often 10 or 100) and `Value` in roubles with a decimal
comma. Its date is the day for which the rates are set: tomorrow's in the afternoon, that of the
last working day at weekends.
"""

import re
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl.cost.rates import BRIDGE, Rate, lies_ahead
from llmctl.errors import LlmctlError, PrivacyRefused, ProviderFailed
from llmctl.messages import _
from llmctl.types import Level

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

    from llmctl.settings import Loaded

ADDRESS = "https://www.cbr.ru/scripts/XML_daily.asp"
NAME = "Bank of Russia"
# The list of some 55 currencies takes 12 kB.
LONGEST = 1 << 20
DEEPEST = 3
WHOLE = re.compile(r"[0-9]{1,9}")
VALUE = re.compile(r"[0-9]{1,12}(,[0-9]{1,12})?")
CODE = re.compile(r"[A-Z]{3}")


async def fetched(loaded: "Loaded") -> bytes:
    """The list as it is now. Raises PrivacyRefused where policy keeps everything on one's own
    machines, NetworkFailed and ProviderFailed as any request may."""
    from llmctl.transport.dial import Dialling
    from llmctl.transport.download import Source

    own = loaded.settings
    url = own.network.rates_url or ADDRESS
    refuse_distant(url, loaded)
    how = Dialling(
        provider=NAME,
        ca_file=own.network.ca_file,
        proxy=own.network.proxy,
        local_only=own.policy.local_only,
        timeout=own.network.connect_timeout,
    )
    try:
        return await Source(url, how, {}, idle_timeout=own.network.idle_timeout).read(LONGEST)
    except LlmctlError as error:
        error.hint = _("a list saved elsewhere will do: llmctl cost rates update --from FILE")
        raise


def refuse_distant(url: str, loaded: "Loaded") -> None:
    """The question says nothing of its asker, but a policy that lets nothing leave means that."""
    from llmctl.transport.egress import is_local

    host = urlsplit(url).hostname or ""
    level = loaded.settings.policy.max_level
    if level in (Level.DEVICE, Level.NETWORK) and not is_local(host):
        raise PrivacyRefused(
            _("policy ({where}) forbids a connection to {host}", host=host,
              where=loaded.origin("policy.max_level")),
            hint=_("a list saved elsewhere will do: llmctl cost rates update --from FILE"),
            host=host,
        )  # fmt: skip


def read_list(document: bytes, today: date) -> dict[str, Rate]:
    """The rates by pair (`USD/RUB`), for one unit each; raises ProviderFailed for anything that is
    not such a list, entities and declarations of types included, and for one of days to come."""
    reader = _Reader()
    parser = _parser(reader)
    try:
        if len(document) > LONGEST:
            raise ValueError("too long")
        parser.Parse(document, True)
        return reader.rates(today)
    except (ValueError, ArithmeticError, LookupError) as error:
        raise _no_list(str(error)) from None
    except _parse_error() as error:
        raise _no_list(str(error)) from None


class _Reader:
    """Collects texts by their names, one currency after the other."""

    def __init__(self) -> None:
        self._day: str | None = None
        self._path: list[str] = []
        self._row: dict[str, str] = {}
        self._rows: list[dict[str, str]] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise ValueError("nested too deeply")
        if self._path == ["ValCurs"]:
            self._day = attributes.get("Date")
        elif self._path == ["ValCurs", "Valute"]:
            self._row = {}

    def end(self, _name: str) -> None:
        if self._path == ["ValCurs", "Valute"]:
            self._rows.append(self._row)
        self._path.pop()

    def text(self, text: str) -> None:
        if len(self._path) == DEEPEST:
            name = self._path[-1]
            self._row[name] = self._row.get(name, "") + text

    def rates(self, today: date) -> dict[str, Rate]:
        day = _day(self._day)
        if lies_ahead(day, today):
            raise ValueError("a day to come")
        found = {}
        for row in self._rows:
            code = row["CharCode"].strip()
            units, value = row["Nominal"].strip(), row["Value"].strip()
            if not (CODE.fullmatch(code) and WHOLE.fullmatch(units) and VALUE.fullmatch(value)):
                raise ValueError("an entry that is no rate")
            with localcontext(Context(prec=28)):
                rate = Decimal(value.replace(",", ".")) / Decimal(units)
            if not rate or code == BRIDGE:
                raise ValueError("a rate of nothing, or of its own currency")
            found[f"{code}/{BRIDGE}"] = Rate(code, BRIDGE, rate, day, NAME, "stored")
        if not found:
            raise ValueError("no rates in it")
        return found


def _day(said: str | None) -> date:
    day, month, year = (said or "").split(".")
    return date(int(year), int(month), int(day))


def _parser(reader: _Reader) -> "XMLParserType":
    # The parser below all of Python's, as it can be told to take no declarations at all: without
    # them there are no entities that grow, and none that read files.
    from xml.parsers.expat import ParserCreate

    def refuse(*_given: object) -> None:
        raise ValueError("a declaration of types")

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    return parser


def _parse_error() -> type[Exception]:
    from xml.parsers.expat import ExpatError

    return ExpatError


def _no_list(why: str) -> ProviderFailed:
    return ProviderFailed(
        _("that is not the list of rates of the Bank of Russia ({why})", why=why),
        hint=_("see what is there: {address}", address=ADDRESS),
        reason="no-rates",
        retryable=False,
    )

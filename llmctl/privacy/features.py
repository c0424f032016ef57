"""What a request asks for beside an answer: features of which a card says what they do to the data,
and options of which nobody says it.

Whoever answers may offer tools, plugins and searches tomorrow that no list of today knows. So the
list is of what does nothing: every other option that no card explains counts as unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.cards import Card, Lowered, Privacy
    from llmctl.privacy.controls import Sent

# Fields of requests that change how an answer is made and not who gets the data or keeps it,
# without `_` and in lower case: formats spell them either way. What the call itself says; how long,
# how many and how random; in what form; with how much thought; for whom, with which filters, and a
# mark in a cache of prompts that lives for minutes.
_HARMLESS = """
model modeluri messages prompt contents input inputs system systeminstruction instructions
functions functioncall toolchoice toolconfig paralleltoolcalls maxtoolcalls

maxtokens maxcompletiontokens maxoutputtokens maxnewtokens mintokens numpredict numctx
n candidatecount bestof temperature topp topk minp topa typicalp presencepenalty
frequencypenalty repetitionpenalty repeatpenalty repeatlastn seed randomseed stop stopsequences
dosample logitbias logprobs toplogprobs responselogprobs ignoreeos updateinterval

responseformat responseschema responsemimetype responsejsonschema jsonschema jsonobject format
text verbosity outputconfig grammar details returnfulltext stream streamoptions usage
modalities responsemodalities imageconfig speechconfig mediaresolution truncate truncation
transforms

reasoning reasoningeffort reasoningsummary reasoningformat reasoningoptions includereasoning
thinking thinkingconfig thinkingbudget thinkinglevel includethoughts think effort
chattemplatekwargs

servicetier speed inferencegeo user safetyidentifier metadata labels promptcachekey
cachecontrol safetysettings safeprompt profanitycheck
"""
HARMLESS = frozenset(_HARMLESS.split())
# Tables of such fields.
TABLES = frozenset(
    {"generationconfig", "completionoptions", "modeloptions", "parameters", "options"}
)
# What functions of the caller's own are described with; they run where the caller is.
OF_FUNCTIONS = frozenset(
    {
        *("name", "description", "inputschema", "parameters", "strict", "function", "functions"),
        *("functiondeclarations", "cachecontrol"),
    }
)
FUNCTION_TYPES = (None, "function", "custom")


def shows(body: Json, path: str) -> bool:
    """Whether a body has something at a path, with `=text` exactly that, `*` standing for any
    letters in it."""
    path, equals, wanted = path.partition("=")
    found = [body]
    for name in path.split("."):
        found = [one for below in found for one in _below(below, name)]
    if not equals:
        return any(one is not None and one is not False for one in found)
    return any(fnmatchcase(_spelt(one), wanted) for one in found)


def _below(value: Json, name: str) -> list[Json]:
    if name == "*":
        return list(value) if isinstance(value, list | tuple) else []
    return [value[name]] if isinstance(value, Mapping) and name in value else []


def _spelt(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def used(row: "Privacy", sent: "Sent") -> "Iterator[Lowered]":
    """Each feature of a row that a request uses."""
    for one in row.lowered:
        if one.feature in sent.features or any(shows(sent.body, path) for path in one.found):
            yield one


def strange(card: "Card", sent: "Sent") -> tuple[str, ...]:
    """The names of what a request asks for that neither does nothing nor is explained by the card:
    by a control of it, or a feature that lowers one of its rows."""
    controls = {one.body.partition(".")[0] for one in card.controls if one.body is not None}
    paths = [path for row in card.privacy for one in row.lowered for path in one.found]
    return tuple(
        dict.fromkeys(
            name
            for name, asked in _asked(sent.body)
            if name not in controls and not any(shows(asked, path) for path in paths)
        )
    )


def strange_tools(sent: "Sent") -> tuple[str, ...]:
    """The names of tools that are no functions of the caller's own: of all that can be asked of a
    server of the user's, what leads away from it."""
    return tuple(name for name, asked in _asked(sent.body) if "tools" in asked)


def _asked(body: Json) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """(name, body with only that) for each thing in a request that may do something."""
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if value is None or value is False:
            continue
        if _plain(name) == "tools":
            tools = value if isinstance(value, list | tuple) else [value]
            yield from ((said, {name: [tool]}) for one in tools for said, tool in _parts(one))
        elif _plain(name) in TABLES and isinstance(value, Mapping):
            yield from ((below, {name: {below: value[below]}}) for below in _odd(value, HARMLESS))
        elif _plain(name) not in HARMLESS:
            yield name, {name: value}


def _parts(tool: Json) -> Iterator[tuple[str, Json]]:
    """What in a tool is more than the description of a function."""
    kind = tool.get("type") if isinstance(tool, Mapping) else tool
    if not isinstance(tool, Mapping) or kind not in FUNCTION_TYPES:
        yield f"tools: {kind}", tool
        return
    for name in _odd((name for name in tool if name != "type"), OF_FUNCTIONS):
        yield f"tools: {name}", {name: tool[name]}


def _odd(names: Iterable[str], known: frozenset[str]) -> list[str]:
    return [name for name in names if _plain(name) not in known]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()

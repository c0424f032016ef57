"""The shape of the code, read from its syntax trees: who may import whom, what is loaded when,
how long things are, and that texts for people go through the catalogue."""

import ast
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "llmctl"

# From left to right: a module imports from its own group and from those before it.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"", "types", "values", "errors", "messages", "resources", "files"}),
    frozenset({"dialects", "transport"}),
    frozenset(
        {
            "settings",
            "cards",
            "card_faults",
            "card_prices",
            "catalogue",
            "expiry",
            "keys",
            "refreshed",
            "structure",
        }
    ),
    frozenset({"store"}),
    frozenset({"privacy", "cost"}),
    frozenset({"engine", "rows", "templates"}),
    frozenset({"compare", "batch"}),
    frozenset({"output"}),
    frozenset({"cli", "__main__"}),
)
# Who may import what others wrote; an empty set: nobody.
OWNERS: dict[str, frozenset[str]] = {
    "httpx": frozenset({"transport"}),
    "h11": frozenset({"transport"}),
    "socksio": frozenset({"transport"}),
    "truststore": frozenset({"transport"}),
    "cryptography": frozenset({"transport"}),
    "xllamacpp": frozenset({"transport"}),
    "keyring": frozenset({"keys"}),
    "sqlite3": frozenset({"store"}),
    "rich": frozenset({"output"}),
    "typer": frozenset({"cli"}),
    "pydantic": frozenset({"settings", "cards", "catalogue", "structure"}),
    "jinja2": frozenset({"templates"}),
    "jsonschema": frozenset({"engine"}),
    "pyarrow": frozenset({"rows"}),
    "ray": frozenset({"batch"}),
    "tomlkit": frozenset({"settings"}),
    "platformdirs": frozenset({"settings"}),
    "click": frozenset(),
    "httpcore": frozenset(),
    "anyio": frozenset(),
    "requests": frozenset(),
}
# A dialect turns calls into bytes and frames into events, and knows neither wire nor clock.
IMPURE = frozenset({"asyncio", "socket", "ssl", "time", "os", "pathlib", "subprocess", "threading"})
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
HEAVY = frozenset({"httpx", "pydantic", "keyring", "sqlite3", "rich", "asyncio"})


@dataclass(frozen=True, slots=True)
class Module:
    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        """Such as `engine/run.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def group(self) -> str:
        first = self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        return "" if first == "__init__" else first


@cache
def modules() -> tuple[Module, ...]:
    return tuple(
        Module(path, ast.parse(path.read_bytes(), filename=str(path)))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Dotted names of what a module imports, at the top, inside functions and for types only."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}:{node.lineno}: a relative import"
            assert node.module is not None
            if node.module == "llmctl":
                for alias in node.names:
                    yield f"llmctl.{alias.name}", node.lineno
            else:
                yield node.module, node.lineno


def layer(group: str) -> int:
    found = [number for number, groups in enumerate(LAYERS) if group in groups]
    assert found, f"llmctl/{group} stands in no layer of test_layers.py"
    return found[0]


def group_of(imported: str) -> str:
    """The group of `llmctl.engine.run`; what is no module is a name of the package itself."""
    name = imported.split(".")[1] if "." in imported else ""
    stands = (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
    return name if stands else ""


def test_a_module_imports_only_from_its_own_layer_or_below() -> None:
    upward = [
        f"{module.name}:{line} imports {imported}"
        for module in modules()
        for imported, line in imports(module)
        if imported.split(".")[0] == "llmctl" and layer(group_of(imported)) > layer(module.group)
    ]

    assert upward == []


def test_what_others_wrote_has_one_place_that_imports_it() -> None:
    astray = [
        f"{module.name}:{line} imports {imported}"
        for module in modules()
        for imported, line in imports(module)
        if module.group not in OWNERS.get(imported.split(".")[0], {module.group})
    ]

    assert astray == []


def test_dialects_are_pure_translation() -> None:
    impure = [
        f"{module.name}:{line} imports {imported}"
        for module in modules()
        if module.group == "dialects"
        for imported, line in imports(module)
        if imported.split(".")[0] in IMPURE or imported.startswith("llmctl.transport")
    ]

    assert impure == []


# ---- providers are data ------------------------------------------------------------------------


def provider_ids() -> frozenset[str]:
    return frozenset(path.stem for path in (ROOT / "providers").glob("*.toml"))


def conditions(tree: ast.AST) -> Iterator[ast.expr]:
    """Every expression that decides which way to go."""
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield test
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Compare():
                yield node
            case ast.Match(subject=subject, cases=cases):
                for value in (
                    pattern.value
                    for one in cases
                    for pattern in ast.walk(one.pattern)
                    if isinstance(pattern, ast.MatchValue)
                ):
                    yield ast.Compare(subject, [ast.Eq()], [value])
            case _:
                pass


def about_kind(condition: ast.expr) -> bool:
    """`card.kind == "local"`: a kind of provider, one of which has the name of a provider."""
    return any(
        getattr(node, "attr", getattr(node, "id", "")).endswith("kind")
        for node in ast.walk(condition)
    )


def named(tree: ast.AST, ids: frozenset[str]) -> Iterator[ast.Constant]:
    """The ids that stand in conditions, but those that are a kind at the same time."""
    for condition in conditions(tree):
        if not about_kind(condition):
            for node in ast.walk(condition):
                if isinstance(node, ast.Constant) and node.value in ids:
                    yield node


def test_no_condition_names_a_provider() -> None:
    found = {
        f"{module.name}:{node.lineno} {node.value!r}"
        for module in modules()
        if module.group != "dialects"
        for node in named(module.tree, provider_ids())
    }

    assert set() == found


CONDITIONS = (
    'if card.id == "{id}": pass',
    'if "{id}" != route.provider: pass',
    'if card.id in ("x", "{id}"): pass',
    'if not (a and card.id == "{id}"): pass',
    'if card.id.startswith("{id}"): pass',
    'x = 1 if provider == "{id}" else 2',
    'x = provider == "{id}"',
    'while provider == "{id}": pass',
    'x = [one for one in cards if one.id == "{id}"]',
    'match card.id:\n    case "x" | "{id}": pass',
    'match card:\n    case Card(id="{id}"): pass',
)


@pytest.mark.parametrize("provider", sorted(provider_ids()))
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_that_names_a_provider_is_found(condition: str, provider: str) -> None:
    tree = ast.parse(condition.replace("{id}", provider))

    assert [node.value for node in named(tree, provider_ids())][:1] == [provider]


# Values that are an id by their letters: kinds of providers and of keys, and whose token the Hub
# of models takes.
VALUES = frozenset(
    {
        *(("cards.py", "local"), ("engine/survey.py", "local")),
        *(("cards.py", "gigachat"), ("engine/reach.py", "gigachat")),
        ("transport/auth/__init__.py", "gigachat"),
        ("engine/hub.py", "huggingface"),
    }
)


def test_no_table_names_a_provider_either() -> None:
    """`card.id in FAVOURED` and `LIMITS[card.id]` are conditions whose ids stand elsewhere."""
    found = {
        (module.name, node.value)
        for module in modules()
        if module.group != "dialects"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in provider_ids()
    }

    assert found == VALUES


# ---- texts for people --------------------------------------------------------------------------

SPOKEN = re.compile(r"[A-Za-zА-Яа-я]{2,}")


def spoken(node: ast.expr) -> bool:
    """Whether an expression is a text with words in it that never saw the catalogue. The name of
    the program is no word, and what stands in `{…}` of an f-string is judged where it was made."""
    match node:
        case ast.Constant(value=str(text)):
            return bool(SPOKEN.search(text.replace("llmctl", "")))
        case ast.JoinedStr(values=values):
            return any(spoken(value) for value in values if isinstance(value, ast.Constant))
        case ast.BinOp(left=left, right=right):
            return spoken(left) or spoken(right)
        case ast.IfExp(body=body, orelse=orelse):
            return spoken(body) or spoken(orelse)
        case _:
            return False


# Not literals, and collected by tests/catalogue.py all the same.
COLLECTED = frozenset({"kind.when", "cleandoc(text)", "warning"})


def error_names() -> frozenset[str]:
    tree = ast.parse((PACKAGE / "errors.py").read_bytes())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def calls() -> Iterator[tuple[Module, ast.Call]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield module, node


def test_what_people_read_goes_through_the_catalogue() -> None:
    speaking = error_names() | {"err", "out"}
    astray = [
        f"{module.name}:{node.lineno} {called(node)}"
        for module, node in calls()
        if called(node) in speaking
        for given in [*node.args[:1], *(k.value for k in node.keywords if k.arg == "hint")]
        if spoken(given)
    ]

    assert astray == []


def test_the_catalogue_is_asked_for_literals_with_the_values_they_name() -> None:
    """Only literals can be collected; a place without its value would be a KeyError on screen."""
    import string

    astray = []
    for module, node in calls():
        if called(node) != "_" or module.name == "messages.py":
            continue
        given = node.args[0]
        if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
            if ast.unparse(given) not in COLLECTED:
                astray.append(f"{module.name}:{node.lineno} {ast.unparse(given)}")
            continue
        values = {keyword.arg or "**" for keyword in node.keywords}
        if values:
            places = {name for _text, name, _f, _c in string.Formatter().parse(given.value) if name}
            if "**" not in values and places != values:
                astray.append(f"{module.name}:{node.lineno} {sorted(places ^ values)}")

    assert astray == []


def test_only_the_streams_print() -> None:
    printing = [
        f"{module.name}:{node.lineno} {ast.unparse(node.func)}"
        for module, node in calls()
        if ast.unparse(node.func) in ("print", "typer.echo", "typer.secho", "rich.print")
    ]

    assert printing == []


# ---- size --------------------------------------------------------------------------------------


def test_files_stay_short() -> None:
    long = {
        module.name: lines
        for module in modules()
        if (lines := len(module.path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }

    assert long == {}


def test_functions_stay_short() -> None:
    long = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.body[0].lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{module.name}:{node.name}"] = lines

    assert long == {}


# ---- what a command loads ----------------------------------------------------------------------


# Where click is installed, `import httpx` loads it, and rich with it, for its own command line.
START = "import sys; sys.modules['click'] = None; from llmctl.__main__ import main; main()"


def loaded(arguments: list[str], tmp_path: Path, **env: str) -> set[str]:
    """Names of all modules that a run of the command imports.

    Asked of the interpreter itself: the command leaves without taking itself apart, so nothing
    can be asked of it at the end.
    """
    home = {f"LLMCTL_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "CACHE")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", START, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **home, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rsplit("|", 1)[1].strip() for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["keys", "--help"], ["help", "exit-codes"]])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert set() == HEAVY & loaded(arguments, tmp_path)


def test_the_help_of_all_loads_no_command(tmp_path: Path) -> None:
    seen = loaded(["--help"], tmp_path)

    assert "llmctl.cli.commands" in seen
    assert "typer" not in seen
    assert "llmctl.cli.ask" not in seen


def test_the_version_loads_nothing(tmp_path: Path) -> None:
    seen = loaded(["--version"], tmp_path)

    assert set() == (HEAVY | {"typer", "llmctl.cli"}) & seen


ANSWER = b"""\
data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}

data: [DONE]

"""


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as answering:
        thread = threading.Thread(target=answering.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{answering.server_port}/v1"
        answering.shutdown()
        thread.join()


def test_a_plain_prompt_loads_only_what_it_needs(server: str, tmp_path: Path) -> None:
    """The key stands in the environment, nothing is kept, stdout is no terminal."""
    call = ["ask", "-m", "openai/mock", "--no-log", "hello"]
    env = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": server, "OPENAI_API_KEY": "sk-" + "x" * 20}
    loaded(call, tmp_path, **env)  # the first run checks the settings and remembers that

    seen = loaded(call, tmp_path, **env)

    assert "httpx" in seen
    unneeded = {"pydantic", "keyring", "rich", "sqlite3", "jinja2", "jsonschema", "xllamacpp"}
    assert unneeded & seen == set()
    assert {"anyio", "httpcore"} & seen == set()

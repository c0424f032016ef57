"""A loopback server in the shape of the Hub's data-set viewer, and of the Hub as far as it says
whether a data set is gated. The name of a data set says how it behaves: `org/small` well, the
others as is written beside them."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

SIZE = 250
HUB = "/api/datasets/"
WRONG = "hf_" + "w" * 20  # a token that the Hub does not know
OPEN_TO_NOBODY = ("org/gated", "org/closed")
NOT_FOUND = "Not found."
UNKNOWN = (
    "The dataset does not exist, or is not accessible without authentication (private or gated)."
    " Please check the spelling of the dataset name or retry with authentication."
)
NOT_READY = "The server is busier than usual and the response is not ready yet."
SPLITS: dict[str, dict[str, tuple[str, ...]]] = {
    "org/small": {"default": ("train",)},
    "org/several": {"en": ("train", "test"), "ru": ("train", "test")},
    "org/splits": {"default": ("validation", "test")},
    "org/gated": {"default": ("train",)},  # nobody may read it, though the Hub tells that it is
    "org/closed": {"default": ("train",)},  # nobody may read it, and the Hub says it is open
    "org/repeats": {"default": ("train",)},  # whatever is asked for, the first page comes
    "org/busy": {"default": ("train",)},  # not ready at the first two questions
    "org/never": {"default": ("train",)},  # never ready
    "org/limited": {"default": ("train",)},  # too many questions, once
    "org/cut": {"default": ("train",)},  # the third row is cut
    "org/empty": {},
    "org/pending": {"fr": ("train",)},  # its subset `en` is not ready, `de` could not be read
    "org/unready": {},  # the same, and there is nothing else
    "org/part": {"default": ("train",)},  # only the beginning of it is there
    "org/ends": {"default": ("train",)},  # its second page is empty, though there should be more
    "org/nothing": {"default": ("train",)},  # its pages are documents without rows
    "org/later": {"default": ("train",)},  # too many questions, once: with RateLimit alone
    "org/grows": {"default": ("train",)},  # says it has fewer rows than it has
}


def row(number: int) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "text": f"строка {number}",
        "label": number % 3,
        "tags": ["a", None],
    }


class DatasetViewer:
    """Serves on 127.0.0.1 inside a `with`. `asked` are the paths with their queries, `keys` the
    values of Authorization that came with them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.met: Counter[str] = Counter()
        self._more = threading.Condition()
        viewer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with viewer._more:
                    viewer.asked.append(self.path)
                    viewer.keys.append(self.headers.get("Authorization"))
                    viewer._more.notify_all()
                status, answer, headers = viewer.answer(self.path)
                body = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def until_asked(self, times: int, seconds: float = 4.0) -> None:
        """Wait for so many questions in all."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.asked) >= times, seconds), self.asked

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _unknown(self) -> tuple[int, Any, dict[str, str]]:
        if self.keys and self.keys[-1] is not None:
            return 404, {"error": UNKNOWN}, {"X-Error-Code": "ExternalAuthenticatedError"}
        return 401, {"error": UNKNOWN}, {"X-Error-Code": "ExternalUnauthenticatedError"}

    def _on_the_hub(self, name: str) -> tuple[int, Any, dict[str, str]]:
        """What the Hub says of a data set, whose name it tells to everybody."""
        if self.keys[-1] == f"Bearer {WRONG}":
            return 401, {"error": "Invalid credentials in Authorization header"}, {}
        if name not in SPLITS:
            status = 401 if self.keys[-1] is None else 404
            return status, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        return 200, {"_id": "1", "id": name, "gated": "auto" if name == "org/gated" else False}, {}

    def answer(self, target: str) -> tuple[int, Any, dict[str, str]]:
        """Status, document and headers."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path.startswith(HUB):
            return self._on_the_hub(path.removeprefix(HUB))
        given = {name: values[0] for name, values in query.items()}
        name = given.get("dataset", "")
        self.met[name] += 1
        if name not in SPLITS:
            return self._unknown()
        if name in OPEN_TO_NOBODY:
            return self._unknown()
        if name == "org/never" or (name == "org/busy" and self.met[name] <= 2):
            return 500, {"error": NOT_READY}, {"X-Error-Code": "ResponseNotReadyError"}
        if name == "org/limited" and self.met[name] == 1:
            return 429, {"error": "Too many requests"}, {"Retry-After": "0.01"}
        if name == "org/later" and self.met[name] == 1:
            return 429, {"error": "Too many requests"}, {"RateLimit": '"api";r=0;t=1'}
        match path:
            case "/splits":
                return 200, splits(name), {}
            case "/rows":
                return rows(name, given)
        return 404, {"error": NOT_FOUND}, {"X-Error-Code": "ResponseNotFound"}


def splits(name: str) -> Any:
    found = [
        {"dataset": name, "config": config, "split": split}
        for config, there in SPLITS[name].items()
        for split in there
    ]
    missing = name in ("org/pending", "org/unready")
    pending = [{"dataset": name, "config": "en"}] if missing else []
    failed = [{"dataset": name, "config": "de", "error": {"error": "no such file: de.csv"}}]
    return {"splits": found, "pending": pending, "failed": failed if missing else []}


def rows(name: str, given: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
    if given.get("split") not in SPLITS[name].get(given.get("config", ""), ()):
        return 404, {"error": NOT_FOUND}, {"X-Error-Code": "ResponseNotFound"}
    offset, length = int(given.get("offset", 0)), int(given.get("length", 100))
    if length > 100:
        said = "Parameter 'length' must not be greater than 100"
        return 422, {"error": said}, {"X-Error-Code": "MissingRequiredParameter"}
    if name == "org/repeats":
        offset = 0
    kinds: dict[str, Any] = {
        "id": {"dtype": "string", "_type": "Value"},
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"dtype": "int64", "_type": "Value"},
        "tags": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
    }
    features = [
        {"feature_idx": place, "name": column, "type": kinds[column]}
        for place, column in enumerate(kinds)
    ]
    found = [
        {
            "row_idx": number,
            "row": row(number),
            "truncated_cells": ["text"] if name == "org/cut" and number == 2 else [],
        }
        for number in range(offset, min(offset + length, SIZE))
    ]
    if name == "org/ends" and offset:
        found = []
    if name == "org/nothing":
        return 200, {"features": features}, {}
    total = 120 if name == "org/grows" and offset < 100 else SIZE
    answer = {
        "features": features,
        "rows": found,
        "num_rows_total": total,
        "num_rows_per_page": 100,
        "partial": name == "org/part",
    }
    return 200, answer, {}

"""What a loopback Hub knows of models, in the shapes of the Hub's own API: lists over several
pages, one model, the tree of its files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Repo:
    """A repository: its files by path, and what its makers and the Hub say of it. `gated` is False,
    "auto" or "manual"; `sums` are checksums that the Hub states instead of the right ones."""

    id: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    task: str | None = "text-generation"
    tags: Sequence[str] = ()
    gated: Any = False
    card: Mapping[str, Any] = field(default_factory=dict)
    gguf: Mapping[str, Any] | None = None
    parameters: int | None = None
    downloads: int = 0
    partners: Sequence[Mapping[str, Any]] = ()
    sha: str = COMMIT
    sums: Mapping[str, str] = field(default_factory=dict)

    def sum_of(self, path: str) -> str:
        return self.sums.get(path) or hashlib.sha256(self.files[path]).hexdigest()

    def facts(self, wanted: Sequence[str], *, alone: bool) -> dict[str, Any]:
        """Those that are asked for; who serves it is a table in the answer about one model, and a
        list in lists."""
        partners: Any = [dict(one) for one in self.partners]
        if alone:
            partners = {one.pop("provider"): one for one in partners}
        every: dict[str, Any] = {
            "author": self.id.partition("/")[0],
            "cardData": dict(self.card),
            "createdAt": "2026-03-04T05:06:07.000Z",
            "downloads": self.downloads,
            "gated": self.gated,
            "gguf": self.gguf,
            "inferenceProviderMapping": partners,
            "lastModified": "2026-08-09T10:11:12.000Z",
            "library_name": "transformers",
            "likes": 7,
            "pipeline_tag": self.task,
            "private": False,
            "safetensors": self.parameters
            and {"parameters": {"BF16": self.parameters}, "total": self.parameters},
            "sha": self.sha,
            "tags": list(self.tags),
        }
        told = {name: every[name] for name in wanted if every.get(name) is not None}
        return {"_id": "66f0", "id": self.id, "modelId": self.id, **told}

    def tree(self) -> list[dict[str, Any]]:
        """Files with their checksums in large file storage; folders stand there as well."""
        folders = sorted({path.rpartition("/")[0] for path in self.files} - {""})
        entries: list[dict[str, Any]] = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in folders
        ]
        for path, data in self.files.items():
            entry: dict[str, Any] = {"type": "file", "oid": "1" * 40, "size": len(data)}
            if not path.endswith((".md", ".json")):
                entry["lfs"] = {"oid": self.sum_of(path), "size": len(data), "pointerSize": 134}
                entry["xetHash"] = "2" * 64
            entries.append({**entry, "path": path})
        return entries


def listed(repos: Sequence[Repo], query: Mapping[str, list[str]]) -> list[Repo]:
    """Those that a search finds, sorted as it wants."""
    words = query.get("search", [""])[0].lower()
    task = query.get("pipeline_tag", [None])[0]
    found = [
        one
        for one in repos
        if words in one.id.lower()
        and task in (None, one.task)
        and all(tag in one.tags for tag in query.get("filter", ()))
    ]
    if query.get("sort", [""])[0] == "downloads":
        found.sort(key=lambda one: -one.downloads)
    return found


def expanded(query: Mapping[str, list[str]]) -> list[str]:
    """The names of what is asked for, which clients send with brackets or without."""
    return [*query.get("expand", ()), *query.get("expand[]", ())]


def page(
    url: str, path: str, items: Sequence[Any], *, size: int | None = None
) -> tuple[list[Any], dict[str, str]]:
    """The page that `path` asks for by its cursor, and the header that leads to the next one."""
    split = urlsplit(path)
    query = parse_qs(split.query)
    start = int(query.get("cursor", ["0"])[0])
    size = min(size or 1000, int(query.get("limit", ["1000"])[0]))
    shown = list(items[start : start + size])
    if start + size >= len(items):
        return shown, {}
    kept = {name: values for name, values in query.items() if name != "cursor"}
    following = urlencode({**kept, "cursor": start + size}, doseq=True)
    return shown, {"link": f'<{url}{split.path}?{following}>; rel="next"'}

"""Kinds of attached files, as cards name them, and what the names of files say of them."""

from pathlib import PurePath

TEXT, IMAGE, AUDIO, VIDEO, PDF, OFFICE = "text", "image", "audio", "video", "pdf", "office"
KINDS = (TEXT, IMAGE, AUDIO, VIDEO, PDF, OFFICE)
# What is more than one file, and nothing that a model reads.
ARCHIVE = "archive"

ODF = "application/vnd.oasis.opendocument"
OOXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{OOXML}.wordprocessingml.document"
XLSX = f"{OOXML}.spreadsheetml.sheet"
PPTX = f"{OOXML}.presentationml.presentation"
EPUB = "application/epub+zip"
OFFICE_TYPES = frozenset(
    {
        *(DOCX, XLSX, PPTX, EPUB),
        *("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"),
        *(f"{ODF}.{kind}" for kind in ("text", "spreadsheet", "presentation")),
    }
)
ARCHIVE_TYPES = frozenset(
    {
        *("application/zip", "application/x-tar", "application/x-7z-compressed"),
        *("application/gzip", "application/x-bzip2", "application/x-xz", "application/zstd"),
        *("application/vnd.rar",),
    }
)
# Text, though its type does not begin with that.
TEXT_TYPES = frozenset(
    {
        *("application/json", "application/jsonl", "application/x-ndjson", "application/xml"),
        *("application/yaml", "application/x-yaml", "application/toml", "application/javascript"),
        *("application/x-sh", "application/sql", "application/rtf", "image/svg+xml"),
    }
)

_IMAGES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp",
           "heic": "heic", "heif": "heif", "avif": "avif", "tif": "tiff", "tiff": "tiff",
           "bmp": "bmp"}  # fmt: skip
_SOUNDS = {"wav": "wav", "mp3": "mpeg", "m4a": "mp4", "ogg": "ogg", "oga": "ogg", "opus": "ogg",
           "flac": "flac", "aac": "aac", "weba": "webm", "mka": "x-matroska",
           "aiff": "aiff"}  # fmt: skip
_FILMS = {"mp4": "mp4", "m4v": "mp4", "mov": "quicktime", "webm": "webm", "mkv": "x-matroska",
          "avi": "x-msvideo", "mpg": "mpeg", "mpeg": "mpeg", "wmv": "x-ms-wmv", "flv": "x-flv",
          "3gp": "3gpp", "ogv": "ogg"}  # fmt: skip
_OTHERS = {
    "pdf": "application/pdf", "docx": DOCX, "xlsx": XLSX, "pptx": PPTX, "epub": EPUB,
    "doc": "application/msword", "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint", "odt": f"{ODF}.text", "ods": f"{ODF}.spreadsheet",
    "odp": f"{ODF}.presentation", "zip": "application/zip", "gz": "application/gzip",
    "7z": "application/x-7z-compressed", "rar": "application/vnd.rar",
    "bz2": "application/x-bzip2", "xz": "application/x-xz", "zst": "application/zstd",
    "tar": "application/x-tar",
}  # fmt: skip
_TEXTS = dict.fromkeys(
    ("txt", "md", "rst", "csv", "tsv", "json", "jsonl", "xml", "html", "htm", "yaml", "yml",
     "toml", "ini", "log", "py", "js", "ts", "c", "h", "cpp", "java", "go", "rs", "sh", "sql",
     "tex", "svg", "rtf"),
    "text/plain",
)  # fmt: skip
BY_SUFFIX = {
    **{suffix: f"image/{name}" for suffix, name in _IMAGES.items()},
    **{suffix: f"audio/{name}" for suffix, name in _SOUNDS.items()},
    **{suffix: f"video/{name}" for suffix, name in _FILMS.items()},
    **_OTHERS,
    **_TEXTS,
}


def shown_address(url: str) -> str:
    """An address as it may be shown: without a password, and without a query, which often holds a
    token."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return url.partition("?")[0].rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")


# Other names by which types go.
_ALIASES = {
    **dict.fromkeys(("image/jpg", "image/pjpeg"), "image/jpeg"),
    "image/x-png": "image/png",
    **dict.fromkeys(("image/x-ms-bmp", "image/x-bmp"), "image/bmp"),
    "image/tif": "image/tiff",
    **dict.fromkeys(("audio/mp3", "audio/x-mp3", "audio/x-mpeg"), "audio/mpeg"),
    **dict.fromkeys(("audio/x-wav", "audio/wave", "audio/vnd.wave"), "audio/wav"),
    **dict.fromkeys(("audio/m4a", "audio/x-m4a"), "audio/mp4"),
    "audio/x-aac": "audio/aac", "audio/x-aiff": "audio/aiff", "audio/x-flac": "audio/flac",
    "application/ogg": "audio/ogg",
    "video/mov": "video/quicktime", "video/avi": "video/x-msvideo",
    "application/x-pdf": "application/pdf",
}  # fmt: skip


def registered(media_type: str) -> str:
    """A type by the name that providers know, where it goes by others; its parameters stay."""
    plain, *parameters = media_type.split(";", 1)
    plain = plain.strip().lower()
    return ";".join((_ALIASES.get(plain, plain), *parameters))


def bare(media_type: str) -> str:
    """The same without its parameters."""
    return registered(media_type).partition(";")[0]


def kind_of(media_type: str) -> str | None:
    """The kind that a type is of, as in a card's `inputs`; "archive", or None for another."""
    plain = bare(media_type)
    family = plain.partition("/")[0]
    if plain in TEXT_TYPES or family == "text":
        return TEXT
    if family in (IMAGE, AUDIO, VIDEO):
        return family
    if plain == "application/pdf":
        return PDF
    if plain in ARCHIVE_TYPES:
        return ARCHIVE
    return OFFICE if plain in OFFICE_TYPES else None


def type_by_name(name: str) -> str | None:
    """What the ending of a name says; None for one that says nothing known."""
    return BY_SUFFIX.get(PurePath(name).suffix[1:].lower())


def suffix_of(media_type: str) -> str:
    """The usual ending for a type, with its dot; empty for one that is not known."""
    return next((f".{one}" for one, made in BY_SUFFIX.items() if made == media_type), "")

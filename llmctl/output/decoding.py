"""Bytes that a user pipes in, as text."""

import codecs

from llmctl.errors import UsageError
from llmctl.messages import _

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_input(data: bytes, encoding: str | None = None) -> str:
    """`data` as text: in `encoding` if given, else as its byte order mark says, else UTF-8. A byte
    order mark is dropped.

    Raises UsageError for an unknown encoding, for bytes that are not valid in it and for NUL
    characters; the hint names the flag to add.
    """
    if encoding is not None:
        from llmctl.output.encoding import known

        name = known(encoding)
    else:
        name = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
        if name == "utf-8":
            _refuse_nul(data)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise _not_valid(data, name, error.start, guess=encoding is None) from None
    except UnicodeError:  # what some codecs raise for a missing mark
        raise _not_valid(data, name, 0, guess=False) from None
    if "\0" in text:
        raise _nul(text.index("\0"))
    return text.removeprefix("\ufeff")


def _refuse_nul(data: bytes) -> None:
    at = data.find(0)
    if at < 0:
        return
    # Latin or Cyrillic text in UTF-16: every second byte of a good part is zero or alike.
    sample = data[:400]
    for name, low in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(low) > 1 and sum(byte <= 0x04 for byte in low) >= 0.9 * len(low):
            raise _nul(at, encoding=name)
    raise _nul(at)


def _nul(at: int, encoding: str | None = None) -> UsageError:
    if encoding is not None:
        hint = _("it looks like UTF-16: add --encoding {name}", name=encoding)
    else:
        hint = _("it looks like a binary file, and only text can be a prompt")
    return UsageError(_("the input has a NUL byte at byte {at}", at=at + 1), hint=hint)


def _not_valid(data: bytes, name: str, at: int, *, guess: bool) -> UsageError:
    from llmctl.output.guess import likely_encoding

    likely = likely_encoding(data) if guess else None
    if likely is not None:
        hint = _("it looks like {name}: add --encoding {name}", name=likely)
    else:
        hint = _("name its encoding: --encoding NAME (cp1251, cp866, koi8-r, latin-1, ...)")
    return UsageError(
        _(
            "the input is not valid {name} (line {line}, byte {at})",
            name=name.upper(),
            line=data.count(b"\n", 0, at) + 1,
            at=at + 1,
        ),
        hint=hint,
    )

"""Real files of each kind, made by hand from what their formats say."""

import io
import struct
import wave
import zipfile
import zlib

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT = "application/vnd.oasis.opendocument.text"
EPUB = "application/epub+zip"


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body)
        )  # fmt: skip

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\xff\0\0" * width for _row in range(height))
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)),
         chunk(b"IEND", b""))
    )  # fmt: skip


def pdf(text: str = "Hello") -> bytes:
    stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    made += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(made)


def wav(samples: int = 80) -> bytes:
    body = io.BytesIO()
    with wave.open(body, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * samples)
    return body.getvalue()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(brand: bytes = b"isom", *others: bytes) -> bytes:
    kinds = brand + struct.pack(">I", 0) + b"".join(others)
    return box(b"ftyp", kinds) + box(b"mdat", b"\0" * 16) + box(b"moov", b"")


def mp3(frames: int = 3) -> bytes:
    """Frames of MPEG 1, layer III, 128 kbit/s at 44.1 kHz: 144 * 128000 / 44100 = 417 bytes."""
    return (b"\xff\xfb\x90\x44" + b"\0" * 413) * frames


def aac(frames: int = 3) -> bytes:
    """ADTS frames of 16 bytes, MPEG 4, low complexity, 44.1 kHz."""
    return (b"\xff\xf1\x50\x80" + bytes((16 >> 3, (16 & 7) << 5)) + b"\0" * 10) * frames


def ogg(head: bytes = b"OpusHead\x01\x01") -> bytes:
    return (
        b"OggS\0\x02" + b"\0" * 20 + bytes((1, len(head))) + head
    )  # a page with one packet: the stream's head


def webm(codec: bytes, form: bytes = b"webm") -> bytes:
    """An EBML head with its document type, then a segment with one track of a codec."""
    doctype = b"\x42\x82" + bytes((0x80 | len(form),)) + form
    head = b"\x1a\x45\xdf\xa3" + bytes((0x80 | len(doctype),)) + doctype
    track = b"\x86" + bytes((0x80 | len(codec),)) + codec
    return head + b"\x18\x53\x80\x67" + bytes((0x80 | len(track),)) + track


def packed(*names: str, mimetype: str | None = None) -> bytes:
    """A ZIP file with files of these names."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as made:
        if mimetype is not None:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, "<x/>")
    return body.getvalue()


def docx() -> bytes:
    return packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")


def old_office(stream: str = "WordDocument") -> bytes:
    """A compound file of 512-byte sectors: the table in sector 0, the directory in 1 and 2, with
    the stream's name in the second of these."""
    free, end, table_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", head, 0x18, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<III", head, 0x2C, 1, 1, 0)
    struct.pack_into("<109I", head, 0x4C, 0, *([free] * 108))
    table = struct.pack("<128I", table_mark, 2, end, *([free] * 125))

    def entry(name: str, kind: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        return raw.ljust(64, b"\0") + struct.pack("<HB", len(raw), kind) + b"\0" * 61

    empty = b"\0" * 128
    first = entry("Root Entry", 5) + entry("\x05SummaryInformation", 2) + empty * 2
    second = entry(stream, 2) + empty * 3
    return bytes(head) + table + first + second

"""Real pictures, made here: a PNG of one colour, and the least of a JPEG that has a size."""

import struct
import zlib


def png(width: int = 64, height: int = 64, colour: tuple[int, int, int] = (200, 80, 20)) -> bytes:
    """A whole PNG: eight bits a channel, no filter."""
    row = b"\x00" + bytes(colour) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def jpeg(width: int = 64, height: int = 64) -> bytes:
    """Header, comment, the head of a frame with the size, and the end."""
    app0 = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    comment = b"\xff\xfe\x00\x09made up"
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + app0 + comment + frame + b"\xff\xd9"


def webp(width: int = 64, height: int = 64) -> bytes:
    """The head of a WebP in its extended form."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>'
OF = {"png": png, "jpeg": jpeg, "webp": webp}

"""Where an image ends by its own structure, so that nothing else can hide behind it. No pixel is decoded here."""

import struct
from typing import BinaryIO

from conversations.files.problems import Unfit
from conversations.files.sandbox import UNREADABLE

MORE_THAN_IMAGE = "holds more than an image. Save the image anew and attach that."
STILL_ONLY = "is animated. Only still images can be attached."
_PADDING = 64  # bytes of zeros or line ends that a careless program may leave behind
_MAX_BLOCKS = 200_000
_MAX_PIECES = 1_000_000  # of the blocks of a GIF; each has up to 255 bytes


def check(file: BinaryIO, content_type: str, size: int) -> None:
    """Raise Unfit where an image is animated, cut off, or followed by something else.

    What follows a JPEG is let be: cameras put depth maps, second pictures and short films there.
    """
    walk = {"image/png": _end_of_png, "image/gif": _end_of_gif, "image/webp": _end_of_webp}.get(content_type)
    if walk is None:
        return
    file.seek(0)
    end = walk(file)
    if end > size:
        raise Unfit(UNREADABLE)
    file.seek(end)
    rest = file.read(_PADDING + 1)
    if len(rest) > _PADDING or rest.strip(b"\x00\r\n"):
        raise Unfit(MORE_THAN_IMAGE)


def _end_of_png(file: BinaryIO) -> int:
    """PNG specification, 5.3: length, type, data, checksum; IEND is the last."""
    file.seek(8)
    for _ in range(_MAX_BLOCKS):
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"acTL":
            raise Unfit(STILL_ONLY)
        end = file.seek(length + 4, 1)
        if name == b"IEND":
            return end
    raise Unfit(UNREADABLE)


def _end_of_webp(file: BinaryIO) -> int:
    """WebP container: RIFF, the length of what follows, WEBP. Bit 1 of the flags of VP8X means animation."""
    head = file.read(21)
    length = struct.unpack("<I", head[4:8])[0]
    if head[12:16] == b"VP8X" and head[20] & 0x02:
        raise Unfit(STILL_ONLY)
    return int(8 + length)


def _end_of_gif(file: BinaryIO) -> int:
    """GIF89a, appendix A: blocks up to the trailer; a second image makes it animated."""
    flags = file.read(13)[10]
    file.seek(_colours(flags), 1)
    images = pieces = 0
    for _ in range(_MAX_BLOCKS):
        match file.read(1):
            case b"\x3b":
                return file.tell()
            case b"\x21":
                file.seek(1, 1)
            case b"\x2c":
                images += 1
                if images > 1:
                    raise Unfit(STILL_ONLY)
                file.seek(_colours(file.read(9)[8]), 1)
                file.seek(1, 1)
            case _:
                raise Unfit(UNREADABLE)
        while length := file.read(1)[0]:
            file.seek(length, 1)
            pieces += 1
            if pieces > _MAX_PIECES:
                raise Unfit(UNREADABLE)
    raise Unfit(UNREADABLE)


def _colours(flags: int) -> int:
    """Return the bytes of a colour table, by the flags before it."""
    return int(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else 0

"""Raster images, in the process of the inspector: what they are, and redrawn without what else they carry."""

import io
import struct
import warnings
from typing import BinaryIO

from PIL import Image, WebPImagePlugin

from conversations.files import image_ends
from conversations.files.kinds import Kind
from conversations.files.problems import Unfit
from conversations.files.sniffing import HEAD, is_also_zip, sniff

MODEL_SIDE = 2048  # pixels
THUMBNAIL_SIDE = 480
MAX_SIDE = 30_000
# A pixel takes four bytes, of a WEBP up to sixteen while it is decoded; a JPEG is decoded at a smaller size.
MAX_PIXELS = {"image/png": 40_000_000, "image/gif": 40_000_000, "image/webp": 12_000_000, "image/jpeg": 120_000_000}
MAX_PNG = 4_000_000  # bytes; a photo in a PNG goes to the model as JPEG

_WEBP = WebPImagePlugin.WebPImageFile.format  # which Pillow would not know of without this import
_FORMATS = {"image/png": "PNG", "image/gif": "GIF", "image/webp": _WEBP, "image/jpeg": "JPEG"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # Exif 2.3, table 4
_SIDEWAYS = 5  # this orientation and those after it swap width and height

warnings.simplefilter("error", Image.DecompressionBombWarning)


def inspect(file: BinaryIO, kind: Kind) -> tuple[int, int]:
    """Return width and height as shown. Raises Unfit unless it is one still, whole image of this kind."""
    _require_kind(file, kind)
    image = _decoded(file, kind, side=MODEL_SIDE // 8)
    width, height = image.info["declared_size"]
    return (height, width) if _orientation(image) >= _SIDEWAYS else (width, height)


def for_model(file: BinaryIO, kind: Kind) -> bytes:
    """Return the image with at most 2048 pixels a side as JPEG or PNG, upright, without metadata."""
    image = _shrunk(file, kind, MODEL_SIDE)
    if kind.content_type in ("image/png", "image/gif") or image.mode == "RGBA":
        drawn = _saved(image, "PNG")
        if len(drawn) <= MAX_PNG:
            return drawn
    return _saved(_on_white(image), "JPEG", quality=88)


def thumbnail(file: BinaryIO, kind: Kind) -> bytes:
    """Return the image with at most 480 pixels a side as WEBP, upright, without metadata."""
    return _saved(_shrunk(file, kind, THUMBNAIL_SIDE), "WEBP", quality=80)


def _require_kind(file: BinaryIO, kind: Kind) -> None:
    """Raise Unfit where the first bytes are another kind's, or where other programs would read something else in it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD)
    found = sniff(head)
    if found != kind.label:
        raise Unfit(f"is named like {kind.label} but holds {found or 'something else'}. Give it its right extension.")
    image_ends.check(file, kind.content_type, size)
    if b"%PDF-" in head or is_also_zip(file, size):
        raise Unfit(image_ends.MORE_THAN_IMAGE)


def _decoded(file: BinaryIO, kind: Kind, *, side: int) -> Image.Image:
    """Return the image with its pixels, of a JPEG no more of them than `side` needs. Raises Unfit."""
    limit = MAX_PIXELS[kind.content_type]
    Image.MAX_IMAGE_PIXELS = limit
    file.seek(0)
    try:
        image: Image.Image = Image.open(file, formats=[_FORMATS[kind.content_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise Unfit(_too_many(kind)) from problem
    width, height = image.size
    if width * height > limit or max(width, height) > MAX_SIDE:
        raise Unfit(_too_many(kind))
    if getattr(image, "is_animated", False):
        raise Unfit(image_ends.STILL_ONLY)
    image.info["declared_size"] = (width, height)
    image.draft(None, (side, side))
    image.load()
    return image


def _too_many(kind: Kind) -> str:
    millions = MAX_PIXELS[kind.content_type] // 1_000_000
    return (
        f"has too many pixels: {kind.label} may have {millions} million, and {MAX_SIDE:,} a side. Scale it down first."
    )


def _shrunk(file: BinaryIO, kind: Kind, side: int) -> Image.Image:
    """Return the pixels alone, as RGB or RGBA, upright, with at most `side` of them a side."""
    image = _decoded(file, kind, side=side)
    orientation = _orientation(image)
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I"):  # 16 bits of grey, which a plain conversion would cut off instead of scaling
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode != wanted:
        image = image.convert(wanted)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    image.info.clear()
    return image


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, 1 to 8; 1 where the file does not say or says nonsense."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error):
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _saved(image: Image.Image, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()

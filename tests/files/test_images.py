"""Images drawn anew: small, upright, and without what cameras note."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from conversations.files import FileProblem, image_for_model, thumbnail
from tests.files.conftest import Put
from tests.files.samples import picture

SECRET = b"Secret Street 1"


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def camera_photo(form: str = "JPEG") -> bytes:
    """Lies on its side; notes where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = SECRET.decode()
    picture = Image.new("RGB", (400, 200), "white")
    picture.paste((255, 0, 0), (0, 0, 100, 200))  # red on the left; upright, on top
    buffer = io.BytesIO()
    picture.save(buffer, form, exif=exif, quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_the_model_gets_it_upright_and_without_metadata(form: str) -> None:
    original = camera_photo(form)
    assert SECRET in original
    content_type, content = image_for_model(original)
    image = opened(content)
    assert content_type == f"image/{(image.format or '').lower()}"
    assert image.size == (200, 400)
    top, bottom = image.convert("RGB").getpixel((100, 20)), image.convert("RGB").getpixel((100, 380))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > 50 > top[1]
    assert min(bottom) > 200
    assert SECRET not in content
    assert not image.getexif()


def test_a_thumbnail_is_upright_small_and_without_metadata() -> None:
    content = thumbnail(camera_photo())
    image = opened(content)
    assert (image.format, image.size) == ("WEBP", (200, 400))
    assert SECRET not in content


@pytest.mark.parametrize(
    ("size", "expected"), [((4_000, 1_000), (2_048, 512)), ((300, 200), (300, 200)), ((5_000, 1), (2_048, 1))]
)
def test_the_longest_side_is_2048_for_the_model(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert opened(image_for_model(picture("PNG", size))[1]).size == expected


def test_a_thumbnail_has_480_on_its_longest_side() -> None:
    assert opened(thumbnail(picture("JPEG", (1_000, 2_000)))).size == (240, 480)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_can_be_drawn(mode: str, put: Put) -> None:
    path = put("upload", picture("PNG", mode=mode))
    assert image_for_model(path)[0] == "image/png"
    assert opened(thumbnail(path)).size == (40, 30)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_can_be_drawn(mode: str) -> None:
    content_type, content = image_for_model(picture("JPEG", mode=mode))
    assert (content_type, opened(content).mode) == ("image/jpeg", "RGB")


def test_grey_of_16_bits_keeps_its_shades() -> None:
    buffer = io.BytesIO()
    Image.new("I;16", (10, 10), 0x8000).save(buffer, "PNG")
    assert opened(image_for_model(buffer.getvalue())[1]).convert("L").getpixel((5, 5)) in (127, 128, 129)


def test_a_photo_in_a_png_goes_to_the_model_as_jpeg() -> None:
    buffer = io.BytesIO()
    Image.effect_noise((2_000, 2_000), 90).convert("RGBA").save(buffer, "PNG")
    content_type, content = image_for_model(buffer.getvalue())
    assert content_type == "image/jpeg"
    assert len(content) < 4_000_000


def test_bytes_and_path_give_the_same(put: Put) -> None:
    content = picture("PNG")
    assert image_for_model(content) == image_for_model(put("upload", content))


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"%PDF-1.7", b"\xff\xd8\xff", picture("PNG")[:60]])
def test_what_is_no_image_is_a_problem_in_words(content: bytes) -> None:
    for draw in (image_for_model, thumbnail):
        with pytest.raises(FileProblem, match=r"^The (image|file) .*\.$"):
            draw(content)


def test_a_missing_file_is_not_taken_for_a_bad_image(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        thumbnail(tmp_path / "none")

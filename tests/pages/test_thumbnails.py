"""Thumbnails: small, of images alone, kept by the browser alone."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from accounts.models import User
from tests.factories import PNG, make_file, make_user
from tests.pages.downloaded import GUARDS, LARGE, get

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a download gives its database connection back
    pytest.mark.usefixtures("folder"),
]


@pytest.mark.parametrize("state", ["pending", "failed", "deleted"])
def test_what_is_not_ready_is_not_there(person: User, state: str) -> None:
    file = make_file(person, data=None, state=state)
    assert get(person, file).status_code == get(person, file, "thumbnail/").status_code == 404


def png(size: tuple[int, int] = (900, 600)) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 50).save(buffer, "png")
    return buffer.getvalue()


def test_a_thumbnail_is_small_and_kept_by_the_browser_alone(person: User) -> None:
    picture = make_file(person, data=png())
    response = get(person, picture, "thumbnail/")
    image = Image.open(io.BytesIO(response.body))
    assert (response.status_code, image.format, image.size) == (200, "WEBP", (480, 320))
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Cache-Control"].startswith("private, max-age=86400")
    assert "Cookie" in response.headers["Vary"]
    assert {name: response.headers[name] for name in GUARDS} == GUARDS
    again = get(person, picture, "thumbnail/", **{"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.body) == (304, b"")
    assert get(make_user(), picture, "thumbnail/").status_code == 404
    assert get(None, picture, "thumbnail/").status_code == 302


@pytest.mark.parametrize(("data", "kind"), [(LARGE, "text/csv"), (b"no picture", "image/png"), (PNG[:40], "image/png")])
def test_what_is_no_image_has_no_thumbnail(person: User, data: bytes, kind: str) -> None:
    assert get(person, make_file(person, data=data, content_type=kind), "thumbnail/").status_code == 404

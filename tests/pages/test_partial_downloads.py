"""Parts of files: what is asked for is what comes, as long as it is the same file."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.pages.downloaded import LARGE, SIZE, get, text_file

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a download gives its database connection back
    pytest.mark.usefixtures("folder"),
]
PARTS = {
    "bytes=0-0": (0, 1),
    "bytes=0-99": (0, 100),
    "bytes=300000-": (300_000, SIZE),
    "bytes=-100": (SIZE - 100, SIZE),
    f"bytes=0-{SIZE * 2}": (0, SIZE),
    f"bytes=-{SIZE * 2}": (0, SIZE),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE),
    "bytes = 5 - 9": (5, 10),
}


@pytest.mark.parametrize("asked", PARTS)
def test_a_part_that_is_asked_for_is_what_comes(person: User, asked: str) -> None:
    start, end = PARTS[asked]
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (206, LARGE[start:end])
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=x", f"bytes=0-{'9' * 30}", "bytes=²-³", ""]
)
def test_a_part_that_makes_no_sense_is_answered_with_the_whole(person: User, asked: str) -> None:
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (200, LARGE)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
def test_a_part_behind_the_end_is_refused(person: User, asked: str) -> None:
    response = get(person, text_file(person), Range=asked)
    assert (response.status_code, response.body) == (416, b"")
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


def test_a_download_goes_on_only_where_it_is_the_same_file(person: User) -> None:
    file = text_file(person)
    same = get(person, file, **{"Range": "bytes=10-19", "If-Range": f'"{file.sha256}"'})
    other = get(person, file, **{"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)

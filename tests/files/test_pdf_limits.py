"""F11: a PDF that would keep its reader busy for ever costs at most the limit of one run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.files.conftest import Put
from tests.files.measured import judge
from tests.files.samples import zeros

CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"


def written(*objects: bytes, before: bytes = b"") -> bytes:
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1))
    return b"%PDF-1.7\n" + before + numbered + b"trailer\n<</Root 1 0 R/Size 9>>\nstartxref\n0\n%%EOF"


def with_index_of(length: int) -> bytes:
    """The list of its objects is compressed and unpacks to this many bytes."""
    body = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    packed = zeros(length)
    index = b"4 0 obj\n<</Type/XRef/W [1 2 1]/Size %d/Root 1 0 R/Filter/FlateDecode/Length %d>>\nstream\n"
    return body + index % (length, len(packed)) + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % len(body)


CASES: dict[str, Callable[[], bytes]] = {
    "arrays in arrays": lambda: written(b"[" * 1_000_000),
    "dictionaries in dictionaries": lambda: written(b"<</A " * 1_000_000),
    "an index that unpacks": lambda: with_index_of(300_000_000),
    "pages that hold themselves": lambda: written(CATALOGUE, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"),
    "a reference to itself": lambda: written(CATALOGUE, b"2 0 R"),
    "indexes in a ring": lambda: b"%PDF-1.7\nxref\n0 0\ntrailer\n<</Root 1 0 R/Size 1/Prev 9>>\nstartxref\n9\n%%EOF",
    "a number of five million digits": lambda: written(b"<</Type/Catalog/Pages " + b"1" * 5_000_000 + b" 0 R>>"),
    "five million objects": lambda: written(b"<</Type/Catalog>>", before=b"9 0 obj\n" * 5_000_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_F11_a_pdf_that_would_not_end_is_refused_within_the_limits(case: str, put: Put) -> None:
    verdict = judge(put("a.pdf", CASES[case]()))
    assert verdict.problem.startswith("“a.pdf” ")
    assert verdict.cpu_seconds < 4  # the limit is 3 whole seconds
    assert verdict.peak_megabytes <= 200

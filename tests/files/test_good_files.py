"""Files as people have them are taken, under the type that their bytes have."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from conversations.files import ACCEPT, KINDS, FileFacts, FileProblem, inspect_file, kind_of
from tests.files.conftest import Put
from tests.files.measured import ROOT
from tests.files.samples import GOOD, OOXML, office, pdf, picture

MAX = 45_000_000


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_taken_with_its_size_and_hash(name: str, put: Put) -> None:
    content = GOOD[name]()
    kind = kind_of(name)
    assert kind is not None
    facts = inspect_file(put("upload", content), name=name, max_bytes=MAX)
    size = (40, 30) if kind.category == "image" else (None, None)
    assert facts == FileFacts(name, kind.content_type, len(content), hashlib.sha256(content).hexdigest(), *size)


def test_html_and_svg_are_text_and_no_kind_is_a_page() -> None:
    assert {KINDS[extension].content_type for extension in (".html", ".htm", ".svg", ".xml", ".js")} == {"text/plain"}
    assert not [kind for kind in KINDS.values() if "html" in kind.content_type or "xml" in kind.content_type[-4:]]


def test_the_form_offers_what_is_taken() -> None:
    assert set(KINDS) < set(ACCEPT.split(","))


def test_an_image_held_sideways_has_the_size_that_is_shown(put: Put) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = inspect_file(put("upload", picture("JPEG", exif=exif)), name="a.jpg", max_bytes=MAX)
    assert (facts.width, facts.height) == (30, 40)


def test_a_photo_with_what_cameras_append_is_taken(put: Put) -> None:
    path = put("upload", picture("JPEG") + picture("JPEG") + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 50)
    assert inspect_file(path, name="a.jpg", max_bytes=MAX).content_type == "image/jpeg"


def test_a_pdf_that_opens_without_a_password_is_taken_though_its_owner_forbids_printing(put: Put) -> None:
    path = put("upload", pdf(owner_password="secret"))
    assert inspect_file(path, name="a.pdf", max_bytes=MAX).content_type == "application/pdf"


def test_a_document_with_another_inside_it_is_taken(put: Put) -> None:
    path = put("upload", office("docx", more=[("word/embeddings/table.xlsx", office("xlsx"))]))
    assert inspect_file(path, name="a.docx", max_bytes=MAX).content_type == f"{OOXML}.wordprocessingml.document"


@pytest.mark.parametrize("name", ["plot.bin", "model.exe", "none", "broken.png", "archive.zip"])
def test_what_the_model_made_is_kept_under_a_type_that_nobody_opens(name: str, put: Put) -> None:
    path = put("upload", b"<script>alert(1)</script>\0")
    facts = inspect_file(path, name=name, max_bytes=MAX, lenient=True)
    assert (facts.content_type, facts.size, facts.width) == ("application/octet-stream", 26, None)
    with pytest.raises(FileProblem):
        inspect_file(path, name=name, max_bytes=MAX)


def test_what_the_model_made_keeps_its_type_where_all_agree(put: Put) -> None:
    facts = inspect_file(put("upload", picture("PNG")), name="plot.png", max_bytes=MAX, lenient=True)
    assert (facts.content_type, facts.width, facts.height) == ("image/png", 40, 30)


@pytest.mark.parametrize("content", [b"", b"x" * 101])
def test_what_the_model_made_is_refused_where_it_is_empty_or_too_large(content: bytes, put: Put) -> None:
    with pytest.raises(FileProblem):
        inspect_file(put("upload", content), name="a.bin", max_bytes=100, lenient=True)


def test_the_package_needs_no_settings_and_no_parser_when_it_is_imported() -> None:
    heavy = "{'django', 'PIL', 'pypdf', 'openpyxl', 'docx', 'boto3'}"
    code = f"import sys, conversations.files; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_large_workbook_is_read_through(put: Put) -> None:
    rows = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(300_000)).encode()
    content = office("xlsx", more=[("xl/worksheets/sheet1.xml", b"<sheet>" + rows + b"</sheet>")])
    assert len(zipfile.ZipFile(io.BytesIO(content)).infolist()) == 3
    assert inspect_file(put("upload", content), name="a.xlsx", max_bytes=MAX).size == len(content)

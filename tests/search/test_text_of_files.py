"""The text in files of every kind is read in the limited process, and found."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from pytest_django import Settings

from accounts.models import User
from conversations.files import storage, text_of, write_document
from conversations.files.kinds import kind_of
from conversations.live.reading import read_files
from conversations.models import Attachment, AttachmentText
from conversations.services import find_unread_files, keep_text
from tests.factories import PNG, make_file, make_user
from tests.fakes.folder import FilesFolder
from tests.files.samples import GOOD, office, pdf
from tests.search.said import find, say

pytestmark = pytest.mark.slow
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def read(name: str, data: bytes, content_type: str = "") -> str:
    kind = kind_of(name)
    assert kind is not None
    with tempfile.TemporaryFile() as file:
        file.write(data)
        return text_of(file, name=name, content_type=content_type or kind.content_type)


def written_pdf(*pages: bytes) -> bytes:
    """A PDF whose pages hold these content streams."""
    writer = PdfWriter()
    font = DictionaryObject({NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1")})
    font[NameObject("/BaseFont")] = NameObject("/Helvetica")
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    for content in pages:
        page = writer.add_blank_page(600, 800)
        stream = DecodedStreamObject()
        stream.set_data(content)
        page[NameObject("/Contents")] = writer._add_object(stream)
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def line(text: str) -> bytes:
    return f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()


def test_a_pdf_is_read_page_by_page() -> None:
    assert read("report.pdf", written_pdf(line("Umbrellas of 2026"), line("Scarves"))).split() == [
        *("Umbrellas", "of", "2026", "Scarves"),
    ]


def test_a_page_that_cannot_be_read_keeps_no_other_from_it() -> None:
    assert "Scarves" in read("report.pdf", written_pdf(b"BT /F9 ( Tf <<<", line("Scarves")))


def test_a_word_document_is_read_with_its_notes_and_without_what_was_deleted() -> None:
    body = (
        f"<w:document {W}><w:p><w:r><w:t>Umb</w:t></w:r><w:r><w:t>rella</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>red</w:t><w:tab/><w:t>blue</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        '<w:instrText>HYPERLINK "x"</w:instrText></w:p></w:document>'
    )
    notes = f"<w:footnotes {W}><w:p><w:t>Scarf</w:t></w:p></w:footnotes>"
    data = office("docx", main=body.encode(), more=[("word/footnotes.xml", notes.encode())])
    assert read("letter.docx", data).split() == ["Umbrella", "red", "blue", "Scarf"]


def test_a_presentation_is_read_in_the_order_of_its_slides() -> None:
    slides = [
        (
            f"ppt/slides/slide{number}.xml",
            f"<p:sld xmlns:p='p' {A}><a:p><a:t>Slide {number}</a:t></a:p></p:sld>".encode(),
        )
        for number in (10, 2, 1)
    ]
    assert read("talk.pptx", office("pptx", more=slides)).splitlines()[::2] == ["Slide 1", "Slide 2", "Slide 10"]


def test_a_workbook_is_read_with_its_strings_numbers_and_names_of_sheets() -> None:
    text = read(
        "stock.xlsx", write_document("stock.xlsx", '{"Hats": [["Umbrella", 4711], ["Ärmel", 1.5], [true, ""]]}')
    )
    assert {"Hats", "Umbrella", "4711", "Ärmel", "1.5"} <= set(text.split())


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"Umbrella;12\n", "Umbrella;12"),
        ("a.csv", "Größe;Straße\n".encode("cp1252"), "Größe;Straße"),
        ("a.txt", "Grüße".encode("utf-16"), "Grüße"),
        ("a.txt", "Grüße".encode("utf-8-sig"), "Grüße"),
        ("a.txt", b"a\x00b", "a\ufffdb"),
        ("a.json", b'{"a": "Gr\\u00fc\\u00dfe \\ud83d\\ude00 \\ud83d"}', '{"a": "Grüße \U0001f600 \ufffd"}'),
        ("a.html", b"<b>Umbrella</b>", "<b>Umbrella</b>"),
        ("a.py", b"print('Umbrella')", "print('Umbrella')"),
        ("a.txt", "ж".encode() * 300_000, "ж" * 200_000),
        ("a.txt", b"x" * 799_999 + "ж".encode(), "x" * 200_000),
    ],
    ids=["csv", "windows", "wide", "mark", "nul", "json", "html", "source", "long", "cut-character"],
)
def test_texts_are_read_as_what_they_are_written_in(name: str, data: bytes, expected: str) -> None:
    assert read(name, data) == expected


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_of_file_that_is_taken_can_be_looked_into(name: str) -> None:
    text = read(name, GOOD[name]())
    assert bool(text) == (not name.endswith((".png", ".jpg", ".JPEG", ".webp", ".gif", ".pptx", ".pdf")))


def test_files_without_readable_text_have_none() -> None:
    assert read("a.pdf", b"%PDF-1.7 nothing more") == ""
    assert read("a.docx", b"PK no archive") == ""
    assert read("a.pdf", pdf(password="secret")) == ""
    assert (
        read("a.docx", office("docx", main=b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><t>&e;</t>")) == ""
    )
    assert read("a.csv", b"Umbrella", "application/octet-stream") == ""
    assert read("a.png", PNG) == ""


def test_a_bomb_ends_the_reader_alone() -> None:
    assert read("a.docx", office("docx", main=b"<w>" + b"<t/>" * 40_000_000)) == ""


# From storage into the record -------------------------------------------------------------------------------------


@pytest.fixture
def files(transactional_db: None, settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def attached(owner: User, name: str, data: bytes, **fields: object) -> Attachment:
    kind = kind_of(name)
    assert kind is not None
    message = say(owner, "here")[0]
    return make_file(owner, message=message, data=data, name=name, **{"content_type": kind.content_type, **fields})


def text_kept(file: Attachment) -> str | None:
    return AttachmentText.objects.filter(attachment=file).values_list("text", flat=True).first()


DOCUMENTS = {
    "report.pdf": written_pdf(line("Umbrella and more")),
    "letter.docx": write_document("letter.docx", "# Umbrella\n\nand more"),
    "stock.xlsx": write_document("stock.xlsx", "name,count\nUmbrella,3\n"),
    "stock.csv": b"name,count\nUmbrella,3\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_stands_in_a_file_is_found(files: FilesFolder, name: str) -> None:
    anna, boris = make_user(), make_user()
    file = attached(anna, name, DOCUMENTS[name])
    assert find(anna, "umbrella").hits == []
    asyncio.run(read_files())
    (hit,) = find(anna, "umbrella").hits
    assert (hit.message_id, hit.source, hit.file_name) == (file.message_id, "file", name)
    assert "<mark>Umbrella</mark>" in hit.snippet
    assert find(boris, "umbrella").hits == []
    assert find_unread_files() == []


def test_unsent_failed_and_deleted_files_are_not_read(files: FilesFolder) -> None:
    anna = make_user()
    make_file(anna, data=b"x", name="a.txt", content_type="text/plain")
    deleted = attached(anna, "b.txt", b"x")
    Attachment.objects.filter(pk=deleted.pk).update(state="deleted")
    make_file(anna, message=say(anna, "here")[0], data=None, name="c.txt")
    assert find_unread_files() == []


def test_while_storage_is_away_files_wait(files: FilesFolder) -> None:
    anna = make_user()
    file = attached(anna, "a.txt", b"umbrella")
    files.take_away()
    asyncio.run(read_files())
    assert [unread.pk for unread in find_unread_files()] == [file.pk]
    files.give_back()
    asyncio.run(read_files())
    assert len(find(anna, "umbrella").hits) == 1


def test_files_that_storage_does_not_give_keep_no_older_one_from_being_read(files: FilesFolder) -> None:
    anna = make_user()
    older = attached(anna, "older.txt", b"umbrella")
    stuck = [attached(anna, f"{number}.txt", b"umbrella") for number in range(4)]
    for file in stuck:  # no file any more, and not missing either
        path = files.path / file.key
        path.unlink()
        path.mkdir()
    for _ in range(3):
        asyncio.run(read_files())
    assert text_kept(older) == "umbrella"
    for file in stuck:
        (files.path / file.key).rmdir()
    for _ in range(2):
        asyncio.run(read_files())
    assert find_unread_files() == []


def test_lost_damaged_and_unreadable_files_are_looked_at_once_and_keep_no_other_from_it(files: FilesFolder) -> None:
    anna = make_user()
    good = attached(anna, "good.txt", b"umbrella")
    lost, damaged = attached(anna, "lost.txt", b"umbrella"), attached(anna, "damaged.txt", b"umbrella")
    broken = [attached(anna, f"{number}.pdf", b"%PDF-1.7 umbrella") for number in range(4)]
    storage.delete(lost.key)
    (files.path / damaged.key).chmod(0o600)
    (files.path / damaged.key).write_bytes(b"umbrellA")
    asyncio.run(read_files())
    assert find_unread_files() == []
    assert [text_kept(file) for file in (good, lost, damaged, *broken)] == ["umbrella", *[None] * 6]


def test_a_file_that_two_messages_share_is_read_once(files: FilesFolder) -> None:
    anna = make_user()
    first = attached(anna, "a.txt", b"umbrella")
    asyncio.run(read_files())
    again = say(anna, "again")[0]
    copy = Attachment.objects.get(pk=first.pk)
    copy.pk, copy.message, copy.is_read = None, again, False
    copy.id = Attachment._meta.pk.get_default()
    copy.save(force_insert=True)
    files.take_away()
    assert find_unread_files() == []
    assert text_kept(copy) == "umbrella"
    assert len(find(anna, "umbrella").hits) == 2


def test_of_two_workers_that_read_a_file_the_second_changes_nothing(files: FilesFolder) -> None:
    file = attached(make_user(), "a.txt", b"umbrella")
    keep_text(attachment_id=file.pk, text="first")
    keep_text(attachment_id=file.pk, text="second")
    assert text_kept(file) == "first"

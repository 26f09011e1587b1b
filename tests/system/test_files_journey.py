"""Files from end to end, in Chromium and whole processes: three in, three out, in a folder and in a bucket."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pypdf
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fakes.process import FakeOpenAI
from tests.fakes.s3 import FakeS3
from tests.system.browser import ANSWER, Visitor
from tests.system.conftest import running_site
from tests.system.site import Site, marker, wait_for

CSV = "number,square\n1,1\n2,4\n"


@dataclass
class Place:
    """A site and where it keeps its files."""

    site: Site
    proxy: FaultyProxy | None = None
    s3: FakeS3 | None = None
    bucket: str = ""

    def bytes_of(self, key: str) -> bytes:
        if self.s3 is None:
            return (self.site.folder / "files" / key).read_bytes()
        return self.s3.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self) -> list[str]:
        if self.s3 is None:
            files = self.site.folder / "files"
            return [str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()]
        return self.s3.keys(self.bucket)


@pytest.fixture(scope="module")
def bucket(openai: FakeOpenAI) -> Iterator[Place]:
    """A site whose bucket is set by the environment alone, with a proxy before it that can fail."""
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(FakeS3())
        proxy = stack.enter_context(FaultyProxy(s3.endpoint))
        name = s3.make_bucket()
        environment = s3.environment(name, endpoint=proxy.url) | {"NO_PROXY": "127.0.0.1"}
        site = stack.enter_context(running_site(os.environ["DATABASE_URL"], openai, environment))
        yield Place(site, proxy, s3, name)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "folder":
        return Place(request.getfixturevalue("site"))
    found: Place = request.getfixturevalue("bucket")
    assert found.proxy is not None
    found.proxy.heal()
    return found


def three_files() -> list[FilePayload]:
    picture, document, sheet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.effect_noise((640, 480), 60).save(picture, "png")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(document)
    workbook = openpyxl.Workbook()
    workbook.active.append(["shelf", "count"])
    workbook.save(sheet)
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return [
        {"name": "shelf photo.png", "mimeType": "image/png", "buffer": picture.getvalue()},
        {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": document.getvalue()},
        {"name": "stock.xlsx", "mimeType": office, "buffer": sheet.getvalue()},
    ]


def attach(page: Page, files: list[FilePayload]) -> None:
    page.wait_for_load_state()
    page.locator("#files").set_input_files(files)


def rows(site: Site) -> list[Any]:
    return site.sql(
        "SELECT id::text, name, key, sha256, size, state, origin, failure FROM conversations_attachment"
        " WHERE state <> 'deleted' ORDER BY id"
    )


def of_conversation(site: Site, page: Page) -> dict[str, Any]:
    found = re.search(r"/conversations/([0-9a-f-]{36})/", page.url)
    assert found is not None
    named = site.sql(
        "SELECT a.name, a.id::text, a.key, a.sha256, a.state FROM conversations_attachment a"
        " JOIN conversations_message m ON m.id = a.message_id WHERE m.conversation_id = %s ORDER BY a.id",
        found[1],
    )
    return {name: rest for name, *rest in named}


def test_three_files_in_and_three_out_are_all_kept_and_all_come_back(browser: Browser, place: Place) -> None:
    visitor = Visitor(browser, place.site, "filer")
    page = visitor.open("/conversations/")
    given = three_files()
    attach(page, given)
    expect(page.locator(".chip[data-state=ready]")).to_have_count(3)
    scenario = {
        "before": "Calculating.",
        "text": "Here is [the table](sandbox:/mnt/data/result.csv).",
        "code_interpreter": {"files": [{"name": "result.csv", "text": CSV}]},
        "image": {"size": [320, 200]},
        "create_file": {"name": "report.docx", "content": "# Stock\n\n- one\n- two\n"},
    }
    page.locator("#prompt").fill("count this " + marker(**scenario))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/conversations/[0-9a-f-]{36}/"))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)

    files = of_conversation(place.site, page)
    expected = {one["name"]: one["buffer"] for one in given} | {"result.csv": CSV.encode()}
    assert set(files) == set(expected) | {"image-1.png", "report.docx"}
    stranger = Visitor(browser, place.site, "stranger")
    for name, (pk, key, sha256, state) in files.items():
        stored = place.bytes_of(key)
        assert state == "ready"
        assert hashlib.sha256(stored).hexdigest() == sha256
        assert stored == expected.get(name, stored)
        fetched = visitor.context.request.get(f"/attachments/{pk}/")
        assert (fetched.status, fetched.body()) == (200, stored)
        assert fetched.headers["x-content-type-options"] == "nosniff"
        assert "attachment" in fetched.headers["content-disposition"]
        for address in (f"/attachments/{pk}/", f"/attachments/{pk}/thumbnail/"):
            assert stranger.context.request.get(address).status == 404
    assert page.locator(".message-user .attachments li").count() == 3
    assert page.locator(f"{ANSWER} .attachments li").count() == 3
    link = page.locator(f"{ANSWER} .blocks a", has_text="the table")
    assert link.get_attribute("href") == f"/attachments/{files['result.csv'][0]}/"
    for picture in page.locator(".attachments img").all():
        wait_for(lambda picture=picture: picture.evaluate("image => image.naturalWidth > 0"), what="thumbnail")  # type: ignore[misc]
    page.reload()
    assert page.locator(".attachments li").count() == 6
    assert visitor.complaints == []
    visitor.context.close()
    stranger.context.close()


def test_s1_an_upload_that_storage_refuses_can_be_tried_again_and_leaves_nothing(
    browser: Browser, bucket: Place
) -> None:
    assert bucket.proxy is not None
    bucket.proxy.heal()
    before, kept = len(rows(bucket.site)), len(bucket.keys())
    visitor = Visitor(browser, bucket.site, "unlucky")
    page = visitor.open("/conversations/")
    bucket.proxy.fail(Fault(method="PUT", status=500, code="InternalError"))
    page.locator("#prompt").fill("my draft")
    attach(page, three_files()[1:2])
    chip = page.locator(".chip")
    expect(chip).to_have_attribute("data-state", "failed", timeout=40_000)
    expect(chip).to_contain_text("Try again")
    wait_for(lambda: (len(rows(bucket.site)), len(bucket.keys())) == (before, kept), what="nothing left")
    expect(page.locator("#prompt")).to_have_value("my draft")

    bucket.proxy.heal()
    chip.get_by_role("button", name=re.compile("Retry")).click()
    expect(chip).to_have_attribute("data-state", "ready", timeout=20_000)
    chip.get_by_role("button", name=re.compile("Remove")).click()
    wait_for(lambda: (len(rows(bucket.site)), len(bucket.keys())) == (before, kept), what="removal")
    visitor.context.close()


def test_s2_storage_that_fails_for_a_while_during_an_answer_delays_its_end_and_loses_nothing(
    browser: Browser, bucket: Place
) -> None:
    assert bucket.proxy is not None
    bucket.proxy.heal()
    visitor = Visitor(browser, bucket.site, "patient")
    page = visitor.open("/conversations/")
    page.wait_for_load_state()
    bucket.proxy.fail(Fault(method="PUT", times=6, status=503))
    page.locator("#prompt").fill("draw " + marker(text="Drawn.", image={}))
    page.keyboard.press("Enter")
    expect(page.locator(ANSWER)).to_contain_text("Drawn.", timeout=20_000)
    expect(page.locator(ANSWER)).to_contain_text("Saving files", timeout=20_000)
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=60_000)

    ((_, key, sha256, state),) = of_conversation(bucket.site, page).values()
    assert state == "ready"
    assert hashlib.sha256(bucket.bytes_of(key)).hexdigest() == sha256
    visitor.context.close()

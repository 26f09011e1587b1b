"""The page of use in a browser: what people asked is summed up by the worker, drawn, narrowed and taken along."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.fakes.process import FakeOpenAI
from tests.structure.source import ROOT
from tests.system.browser import FITS, PHONE, Visitor, faults_in_both_themes
from tests.system.conftest import running_site
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.timeout(300)
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGE = "/admin/records/usagefact/"


@pytest.fixture(scope="module")
def used(openai: FakeOpenAI) -> Iterator[Site]:
    """A site of its own on which two answers were given and one failed, summed up by its worker's own job."""
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        _use(site)
        yield site


def _use(site: Site) -> None:
    client = site.sign_in("admin")
    for scenario in ({"text": "Yes."}, {"text": "No."}, {"status": 400}):
        _, answer = client.begin(f"Is it so? {marker(**scenario)}")
        site.wait_until_ended(answer)
    # Not to wait for the minute to end.
    subprocess.run(
        [sys.executable, "manage.py", "procrastinate", "defer", "records.tasks.keep_usage", '{"timestamp": 0}'],
        cwd=ROOT, env=site.environment, check=True, capture_output=True,
    )  # fmt: skip
    wait_for(lambda: site.sql("SELECT 1 FROM records_usagefact WHERE answers = 3"), what="the sums")


def test_usage_is_read_narrowed_and_taken_along(browser: Browser, used: Site) -> None:
    visitor = Visitor(browser, used, "admin")
    page = visitor.open("/admin/")
    page.get_by_role("link", name="Usage", exact=True).first.click()
    cards = page.locator(".report-cards")
    expect(cards).to_contain_text("3 answers")
    expect(cards).to_contain_text("1 of 3")
    expect(page.get_by_role("img", name="Tokens by day")).to_be_visible()

    page.get_by_role("link", name="Person", exact=True).click()
    page.get_by_role("region", name="As a table").get_by_role("link", name="admin", exact=True).click()
    expect(page.get_by_label("Person", exact=True)).to_have_value("admin")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    lines = list(csv.DictReader(waiting.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [lines[-1][name] for name in ("prompts", "answers", "failed")] == ["3", "3", "1"]

    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label("To", exact=True).fill("2020-03-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing was used in these days with these filters.")).to_be_visible()
    page.get_by_label("Person", exact=True).fill("nobody at all")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody is called “nobody at all”.")
    expect(page.get_by_label("From")).to_have_value("2020-01-01")
    assert visitor.requests_elsewhere == []
    visitor.context.close()


def test_axe_finds_nothing_on_the_page_of_use_and_it_fits_a_phone(browser: Browser, used: Site) -> None:
    visitor = Visitor(browser, used, "admin", reduced_motion="reduce", **PHONE)
    page = visitor.open(f"{PAGE}?by=assistant")
    found = {"report": faults_in_both_themes(page, WCAG)}
    assert page.evaluate(FITS)
    page.goto(f"{PAGE}?from=never")
    found["problem"] = faults_in_both_themes(page, WCAG)
    assert {name: lines for name, lines in found.items() if lines} == {}
    visitor.context.close()

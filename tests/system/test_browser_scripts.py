"""The scripts by themselves: one that cannot be parsed would keep its whole bundle from running."""

from django.conf import settings
from playwright.sync_api import Browser

PARSE = """text => {
  try {
    new Function(text);
  } catch (error) {
    return String(error);
  }
}"""


def test_each_script_can_be_parsed(browser: Browser) -> None:
    page = browser.new_page()
    assert "SyntaxError" in page.evaluate(PARSE, "const = 1")
    found = {
        path.name: page.evaluate(PARSE, path.read_text())
        for path in sorted((settings.BASE_DIR / "static").rglob("*.js"))
    }
    assert "composer.js" in found
    assert {name: error for name, error in found.items() if error} == {}
    page.close()

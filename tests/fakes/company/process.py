"""The provider as a process of its own, and what people do there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import requests

from tests.fakes.child import FakeServer
from tests.fakes.company import PASSWORD

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Company(FakeServer):
    """A provider with the people ada, grace and edsger, who all have one password, and the client `verbatim`."""

    name = "company's provider"

    def __init__(self, folder: Path, redirects: list[str]) -> None:
        super().__init__("tests.fakes.company")
        self.folder = folder
        self.say("redirects", redirects)
        self.issuer = ""

    def start(self) -> Company:
        """Start it with its folder in the environment, which children inherit."""
        os.environ["COMPANY_FOLDER"] = str(self.folder)
        try:
            return super().start()
        finally:
            del os.environ["COMPANY_FOLDER"]

    def note(self, first_line: bytes) -> None:
        """Keep its address."""
        self.issuer = f"http://127.0.0.1:{json.loads(first_line)['port']}"

    def say(self, what: str, value: Any) -> None:
        """Let it say this from now on: "claims" and "userinfo" by username, "id_token", "answers" by path."""
        (self.folder / f"{what}.json").write_text(json.dumps(value))

    def be_itself(self) -> None:
        """Forget what it was told to say."""
        for what in ("claims", "userinfo", "id_token", "answers"):
            (self.folder / f"{what}.json").unlink(missing_ok=True)

    @property
    def key(self) -> bytes:
        """The private key with which it signs."""
        return (self.folder / "key.pem").read_bytes()

    def visit(self, address: str, username: str = "ada") -> str:
        """Sign in at an address of its authorisation, and return where it sends one back to."""
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(address, timeout=10)
            if "/accounts/login/" not in page.url:
                return page.headers.get("Location", page.url)
            given = {
                "login": username,
                "password": PASSWORD,
                "csrfmiddlewaretoken": _TOKEN.findall(page.text)[0],
            }
            answer = browser.post(page.url, given, headers={"Referer": page.url}, allow_redirects=False, timeout=10)
            assert answer.status_code == 302, answer.text
            while answer.headers["Location"].startswith(("/", self.issuer)):
                there = answer.headers["Location"]
                address = there if there.startswith("http") else self.issuer + there
                answer = browser.get(address, allow_redirects=False, timeout=10)
                assert "Location" in answer.headers, answer.text
            return answer.headers["Location"]

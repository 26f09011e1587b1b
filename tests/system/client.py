"""What asks the running application over HTTP as a browser without scripts does."""

from __future__ import annotations

import http.client
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from tests.system.site import Site


@dataclass
class Client:
    """What a browser without JavaScript can do, and htmx's requests."""

    site: Site
    session_key: str
    port: int

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Return status, body and headers (names in small letters) of one request; redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            csrf = "c" * 32
            cookies = f"{settings.SESSION_COOKIE_NAME}={self.session_key}; {settings.CSRF_COOKIE_NAME}={csrf}"
            sent = {"Cookie": cookies, "Origin": f"http://127.0.0.1:{self.port}"} | (headers or {})
            body = None
            if form is not None:
                body = urlencode(form | {"csrfmiddlewaretoken": csrf})
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, text, {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()

    def begin(self, prompt: str, assistant: str = "general") -> tuple[str, str]:
        """Start a conversation; return its id and that of the answer that is waited for."""
        token = str(uuid.uuid4())
        status, body, headers = self.request(
            "POST", "/conversations/", {"prompt": prompt, "assistant": assistant, "client_token": token}
        )
        assert status == 303, (status, body[:2000])
        conversation = urlsplit(headers["location"]).path.split("/")[2]
        answer = self.site.sql(
            "SELECT a.id FROM conversations_message a JOIN conversations_message p ON p.id = a.parent_id"
            " WHERE p.client_token = %s",
            token,
        )
        return conversation, str(answer[0][0])

    def stream(self, message_id: str, *, after: int = 0, last_event_id: str = "") -> Iterator[dict[str, str]]:
        """Yield the events of a live view as dicts with data, event and id; the connection ends with the generator."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={self.session_key}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        try:
            connection.request("GET", f"/messages/{message_id}/stream/?after={after}", headers=headers)
            response = connection.getresponse()
            assert response.status == 200, response.status
            yield from _events(response)
        finally:
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    while line := response.readline().decode():
        line = line.rstrip("\n")
        if not line and event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = event[name] + "\n" + value if name in event else value

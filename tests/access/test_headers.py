"""The headers of every kind of answer, and where nothing is to be found."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.access.world import World, make_world
from tests.pages.record import HTMX

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; manifest-src 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NEVER = ("Server", "X-Powered-By", "X-Runtime", "Via", "Content-Security-Policy-Report-Only", "X-Django-Version")
PRIVATE = "no-store"


@pytest.fixture
def world(db: None) -> World:
    return make_world()  # for each test, beside those that commit


def check(response: HttpResponse, *, private: bool) -> None:
    """Compare an answer with what every answer must say."""
    assert {name: response.headers.get(name) for name in ALWAYS} == ALWAYS
    assert not set(NEVER) & set(response.headers)
    if private:
        assert PRIVATE in response.headers.get("Cache-Control", "")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_r5_pages_and_fragments(world: World) -> None:
    conversation, ended = world.belongings.conversation, world.belongings.ended
    for address in ("/conversations/", f"/conversations/{conversation.pk}/", f"/messages/{ended.pk}/"):
        for headers in ({}, HTMX):
            response = world.ask("owner", "GET", address, headers=headers)
            assert response.status_code == 200
            check(response, private=True)
    for headers in ({}, HTMX):
        check(world.ask("owner", "POST", "/conversations/", {"prompt": ""}, headers=headers), private=True)
        check(world.ask("owner", "POST", "/conversations/", headers=headers), private=True)


def test_r5_accounts_and_back_office(world: World) -> None:
    for role, address in (
        ("anonymous", "/accounts/login/"),
        ("owner", "/accounts/logout/"),
        ("owner", "/accounts/password/change/"),
        ("administrator", "/admin/"),
        ("reviewer", f"/admin/conversations/conversation/{world.belongings.conversation.pk}/change/"),
        ("administrator", f"/admin/accounts/user/{world.people['owner'].pk}/change/"),
    ):
        response = world.ask(role, "GET", address)
        assert response.status_code == 200
        check(response, private=True)


def test_r5_refusals(world: World) -> None:
    foreign = f"/conversations/{world.belongings.conversation.pk}/"
    strict = Client(enforce_csrf_checks=True)
    answers = {
        302: world.ask("anonymous", "GET", "/conversations/"),
        401: world.ask("anonymous", "GET", "/conversations/", headers=HTMX),
        403: strict.post("/accounts/login/", {}),
        404: world.ask("stranger", "GET", foreign),
        405: world.ask("owner", "POST", foreign),
    }
    for status, response in answers.items():
        assert response.status_code == status
        check(response, private=status in (302, 401))
    check(world.ask("owner", "GET", "/nowhere"), private=False)
    too_large = world.ask("owner", "POST", "/conversations/", {"prompt": "x" * 20_000_000})
    assert too_large.status_code in (400, 413)
    check(too_large, private=False)


def test_r5_probes(world: World) -> None:
    for address in ("/healthz", "/readyz"):
        check(world.ask("anonymous", "GET", address), private=False)
    assert set(world.ask("anonymous", "GET", "/readyz").json()) == {"database", "migrations", "worker"}


@pytest.mark.django_db(transaction=True)
def test_r5_streams(transactional_db: None) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    world = make_world()
    address = f"/messages/{world.belongings.running.pk}/stream/"
    response = world.ask("owner", "GET", address)
    check(response, private=True)
    assert response["X-Accel-Buffering"] == "no"
    response.close()
    check(world.ask("stranger", "GET", address), private=False)
    check(world.ask("anonymous", "GET", address), private=False)
    ProcrastinateJob.objects.all().delete()


async def _get(application: Any, path: str) -> tuple[int, dict[str, str]]:
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": [(b"host", b"127.0.0.1")], "http_version": "1.1", "scheme": "http", "root_path": ""}
    browser: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await browser.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await browser.receive_output(5)
    return start["status"], {name.decode().lower(): value.decode() for name, value in start["headers"]}


def test_r4_r5_static_files_are_what_they_are_and_for_our_pages_alone(tmp_path: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "a.css").write_text("p { color: red }")
    (tmp_path / "a.0123456789ab.css").write_text("p { color: red }")
    application = runpy.run_path(str(settings.BASE_DIR / "chatapp" / "asgi.py"))["application"]
    for name, age in (("a.css", "max-age=60"), ("a.0123456789ab.css", "immutable")):
        status, headers = async_to_sync(_get)(application, f"/static/{name}")
        assert status == 200
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"].startswith("text/css")
        assert age in headers["cache-control"]
        assert not [name for name in headers if name.startswith(("access-control-", "server"))]


HIDDEN = (
    ".git/config", ".git/HEAD", ".env", ".env.example", "static/../.env", "static/..%2f.env", "static/%2e%2e/.env",
    "manage.py", "chatapp/settings.py", "requirements.txt", "Dockerfile", "var/secret_key", "var/database.url",
    "robots.txt", "security.txt", ".well-known/security.txt", "__debug__/", "debug/", "docs/", "schema/",
    "server-status", "metrics", "phpinfo.php", "backup.sql", "media/", "files/", "static/", "admin/doc/",
    "accounts/signup/", "accounts/password/reset/", "accounts/", "sitemap.xml", "feed/",
)  # fmt: skip


@pytest.mark.parametrize("role", ["anonymous", "owner"])
def test_r9_nothing_else_is_served(world: World, role: str) -> None:
    for path in HIDDEN:
        response = world.ask(role, "GET", f"/{path}")
        if path.startswith("admin/"):
            assert response.status_code in (302, 404)
        else:
            assert response.status_code == 404, path
            assert "SECRET" not in response.content.decode()


def test_r9_no_page_tells_what_it_is_made_of(world: World) -> None:
    for role, address in (("anonymous", "/accounts/login/"), ("owner", "/nowhere"), ("owner", "/conversations/")):
        text = world.ask(role, "GET", address).content.decode().lower()
        for word in ("django/", "gunicorn", "python/", "postgres", "traceback", "debug = true"):
            assert word not in text

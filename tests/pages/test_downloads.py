"""Files as they leave: whole and to their owner alone, under a name that harms nobody, or by a signed link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import start_conversation
from tests.factories import PNG, make_assistant, make_file, make_model, make_user, token
from tests.fakes.s3 import FakeS3, use_bucket
from tests.pages.asked import with_client
from tests.pages.downloaded import GUARDS, LARGE, SIZE, get, text_file

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a download gives its database connection back
    pytest.mark.usefixtures("folder"),
]


@pytest.fixture
def said(person: User) -> Message:
    make_model()
    answer = start_conversation(owner=person, assistant=make_assistant(), prompt="See", client_token=token())
    assert answer.parent is not None
    return answer.parent


def test_the_owner_gets_every_byte_and_what_says_how_to_treat_them(person: User) -> None:
    file = text_file(person)
    response = get(person, file)
    assert (response.status_code, response.body) == (200, LARGE)
    assert {name: response.headers[name] for name in GUARDS} == GUARDS
    assert response.headers["Content-Length"] == str(len(LARGE))
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="count.csv"'
    assert response.headers["ETag"] == f'"{file.sha256}"'
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "no-store" in response.headers["Cache-Control"]
    assert "private" in response.headers["Cache-Control"]


def test_head_tells_the_same_without_a_byte(person: User) -> None:
    file = text_file(person)
    told, whole = get(person, file, verb="head"), get(person, file)
    assert (told.status_code, told.body) == (200, b"")
    assert dict(told.headers) == dict(whole.headers)


def test_others_and_nobody_get_nothing(person: User) -> None:
    file = text_file(person)
    assert get(make_user(), file).status_code == 404
    anonymous = get(None, file)
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"] == f"/accounts/login/?next=/attachments/{file.pk}/"


def test_a_hidden_conversation_hides_its_files(person: User, said: Message) -> None:
    file = make_file(person, message=said)
    assert get(person, file).status_code == 200
    Conversation.objects.update(hidden_at=timezone.now())
    assert get(person, file).status_code == get(person, file, "thumbnail/").status_code == 404


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ('a"b;c.csv', "attachment; filename=\"a_b_c.csv\"; filename*=UTF-8''a%22b%3Bc.csv"),
        ("Jahresübersicht €.csv", "filename*=UTF-8''Jahres%C3%BCbersicht%20%E2%82%AC.csv"),
        ("x\r\nSet-Cookie: a=b.csv", "Set-Cookie: a=b.csv"),
    ],
)
def test_f9_a_name_makes_no_header_of_its_own(person: User, name: str, header: str) -> None:
    response = get(person, text_file(person, name=name))
    assert header.split("filename*=")[-1] in response.headers["Content-Disposition"]
    assert "\n" not in response.headers["Content-Disposition"]
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    assert not response.cookies


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "x/y;z"])
@pytest.mark.parametrize("query", ["", "?inline"])
def test_x10_what_could_act_as_a_page_leaves_as_bytes_to_be_saved(person: User, kind: str, query: str) -> None:
    response = get(person, text_file(person, content_type=kind, name="page.html", data=b"<script>1</script>"), query)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert {name: response.headers[name] for name in GUARDS} == GUARDS


def test_an_image_may_be_looked_at_and_is_otherwise_saved(person: User) -> None:
    picture = make_file(person)
    assert get(person, picture).headers["Content-Disposition"].startswith("attachment;")
    shown = get(person, picture, "?inline")
    assert shown.headers["Content-Disposition"].startswith("inline;")
    assert (shown.body, shown.headers["Content-Type"]) == (PNG, "image/png")
    assert {name: shown.headers[name] for name in GUARDS} == GUARDS


def test_no_database_connection_is_held_while_bytes_are_sent(person: User) -> None:
    file = text_file(person)

    async def ask(client: AsyncClient) -> bool:
        response: Any = await client.get(f"/attachments/{file.pk}/")
        assert response.streaming
        is_given_back = await sync_to_async(lambda: connection.connection is None)()
        response.close()
        return is_given_back

    assert with_client(person, ask)


def test_a_public_bucket_hands_files_out_itself(
    person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeS3() as s3:
        use_bucket(settings, monkeypatch, s3.environment(s3.make_bucket()))
        file = text_file(person, name="Übersicht.csv")
        streamed = get(person, file)
        assert (streamed.status_code, streamed.body) == (200, LARGE)
        settings.AWS_S3_PUBLIC_ENDPOINT_URL = s3.endpoint
        response = get(person, file)
        link = response.headers["Location"]
        assert response.status_code == 302
        assert "no-store" in response.headers["Cache-Control"]
        assert urlsplit(link).netloc == urlsplit(s3.endpoint).netloc
        assert "X-Amz-Expires=60" in link
        with build_opener(ProxyHandler({})).open(link) as fetched:
            assert fetched.read() == LARGE
            assert fetched.headers["Content-Disposition"].startswith("attachment;")
        told = get(person, file, verb="head")  # a link is signed for GET alone
        assert (told.status_code, told.headers["Content-Length"]) == (200, str(SIZE))
        picture = make_file(person)
        assert get(person, picture, "?inline").body == PNG
        assert get(person, picture, "thumbnail/").status_code == 200
        assert get(make_user(), file).status_code == 404

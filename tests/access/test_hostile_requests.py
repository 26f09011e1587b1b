"""Bytes, headers, verbs and fields that no page of ours sends: refused or ignored, and never a fault of the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.services import stop_answer
from tests.access.record import changed_tables, snapshot
from tests.access.requests import START, send_to
from tests.access.world import World
from tests.factories import token
from tests.pages.record import HTMX

FORM = "application/x-www-form-urlencoded"
BYTES: dict[str, Callable[[str], tuple[bytes, str]]] = {
    "percent-encoded": lambda token: (f"prompt=a%FF%00%ED%A0%80z&client_token={token}&assistant=".encode(), FORM),
    "raw": lambda token: (b"prompt=a\xff%00\xed\xa0\x80z&client_token=" + token.encode() + b"&assistant=", FORM),
    "multipart": lambda token: (
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\xff\x00\xed\xa0\x80z\r\n'
        b'--x\r\nContent-Disposition: form-data; name="client_token"\r\n\r\n' + token.encode() + b"\r\n--x--\r\n",
        "multipart/form-data; boundary=x",
    ),
}


@pytest.mark.parametrize("how", BYTES)
def test_f3_invalid_utf8_nul_and_lone_surrogates_are_replaced_or_refused(world: World, how: str) -> None:
    body, content_type = BYTES[how](str(token()))
    before = snapshot()
    response = world.client("owner").generic("POST", send_to(world), body, content_type)
    if response.status_code == 303:
        text = Message.objects.filter(role="user").latest("created_at").text
        assert (text[0], text[-1]) == ("a", "z")
        assert "\x00" not in text
        assert "\ufffd" in text
    else:
        assert response.status_code in (400, 422)
        assert changed_tables(before, snapshot()) == []


@pytest.mark.slow
def test_f3_no_field_answers_hostile_bytes_with_a_fault(world: World) -> None:
    ended = world.belongings.ended
    addresses = (
        START,
        send_to(world),
        f"/conversations/{ended.conversation_id}/rename/",
        f"/messages/{ended.parent_id}/edit/",
        f"/messages/{ended.pk}/retry/",
    )
    for name in ("prompt", "title", "client_token", "assistant", "after", "parent", "keep", "model"):
        for value in ("%00", "%ED%A0%80", "%FF%FE", "\ud800"):
            body = f"prompt=Hi&title=Hi&client_token={token()}&{name}={value}".encode("utf-8", "surrogatepass")
            for address in addresses:
                for more in ({}, HTMX):
                    response = world.client("owner").generic("POST", address, body, FORM, headers=more)
                    assert response.status_code < 500, (address, name, value)


VALUES = ("%00", "%FF", "-1", "9" * 400, "1e9", "None", "[]", "{}", "'", "%E2%80%AE", "x" * 8000)
QUERIES = ("show", "at", "before", "assistant", "suggestion", "_connector", "id__in", "owner__password__startswith")
OFFICE_QUERIES = (
    "q", "p", "o", "e", "all", "_facets", "_to_field", "_popup", "_changelist_filters", "_connector", "state",
    "state__exact", "last_activity_at__gte", "assistant__id__exact", "hidden_at__isempty", "id", "owner__id__exact",
)  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_f3_no_query_of_a_page_answers_with_a_fault(world: World, name: str) -> None:
    for value in VALUES:
        for address in (START, f"/conversations/{world.belongings.conversation.pk}/"):
            assert world.ask("owner", "GET", f"{address}?{name}={value}").status_code in (200, 400), (address, value)


def test_f3_no_query_of_the_reading_room_answers_with_a_fault(world: World) -> None:
    for name in OFFICE_QUERIES:
        for value in ("%00", "%FF", "-1", "9" * 40, "nonsense"):
            response = world.ask("reviewer", "GET", f"/admin/conversations/conversation/?{name}={value}")
            assert response.status_code in (200, 302, 400, 422), (name, value)


def test_a7_no_filter_of_the_reading_room_reaches_into_accounts(world: World) -> None:
    for name in ("owner__password__startswith", "owner__is_superuser", "owner__user_permissions", "messages__text"):
        response = world.ask("reviewer", "GET", f"/admin/conversations/conversation/?{name}=m")
        assert response.status_code in (302, 400), name


IDS = ("x", "0", "%00", "..", "%2e%2e%2f", "00000000-0000-0000-0000-000000000000", "1" * 5000)


def test_f3_an_id_that_is_none_is_not_found(world: World) -> None:
    for pk in IDS:
        for address in (f"/conversations/{pk}/", f"/messages/{pk}/"):
            assert world.ask("owner", "GET", address).status_code == 404, address
        verbs = [f"/messages/{pk}/{verb}/" for verb in ("stop", "retry", "edit", "continue")]
        for address in (f"/conversations/{pk}/messages/", *verbs):
            assert world.ask("owner", "POST", address).status_code == 404, address


def test_f3_u0000_in_an_address_of_the_api_is_not_found(world: World) -> None:
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    for address in ("/v1/responses/%00/cancel", "/api/v1/models/%00/", "/v1/models/%00"):
        for verb in ("GET", "POST"):
            assert world.ask("owner", verb, address, headers=headers).status_code in (404, 405), address


def test_f3_an_id_that_is_none_is_no_fault_in_the_back_office(world: World) -> None:
    models = ("conversation", "message", "generation", "assistant", "languagemodel")
    for kind in (*(f"conversations/{model}" for model in models), "accounts/user", "procrastinate/procrastinatejob"):
        for pk in ("x", "%00", "9" * 40, "_5F", "-1"):
            for action in ("change", "delete", "history"):
                response = world.ask("administrator", "GET", f"/admin/{kind}/{pk}/{action}/")
                assert response.status_code in (302, 403, 404), (kind, pk, action)


CONTENT_TYPES = [
    "application/json", "text/plain", "text/xml", "application/octet-stream", "", "nonsense", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 5000,
    "multipart/form-data; boundary=x; charset=utf-16", "multipart/form-data; boundary=x; charset=zlib",
    f"{FORM}; charset=utf-16", f"{FORM}; charset=zlib", f"{FORM}; charset=nonsense", f"{FORM}; charset=idna",
]  # fmt: skip


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_f5_other_content_types_are_refused_without_a_fault(world: World, content_type: str) -> None:
    bodies = (
        b'{"prompt": "Hi", "client_token": "x"}',
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nHi\xc3\r\n--x--\r\n',
        b"prompt=Hi%FF",
    )
    before = snapshot()
    for address in (START, send_to(world)):
        for body in bodies:
            response = world.client("owner").generic("POST", address, body, content_type)
            assert 400 <= response.status_code < 500, (address, body)
    assert changed_tables(before, snapshot()) == []


@pytest.mark.parametrize("verb", ["DELETE", "PUT", "PATCH", "GET"])
def test_f5_headers_that_override_the_verb_do_nothing(world: World, verb: str) -> None:
    detail = f"/conversations/{world.belongings.conversation.pk}/"
    before = snapshot()
    override = {"X-HTTP-Method-Override": verb, "X-HTTP-Method": verb, "X-Method-Override": verb}
    assert world.ask("owner", "POST", detail, {"_method": verb}, headers=override).status_code == 405
    assert changed_tables(before, snapshot()) == []


@pytest.mark.parametrize("verb", ["TRACE", "CONNECT", "PROPFIND", "X" * 100])
def test_f5_verbs_that_nobody_knows_are_refused(world: World, verb: str) -> None:
    for address in ("/", START, send_to(world), "/healthz"):
        assert world.client("owner").generic(verb, address).status_code in (403, 405)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*;q=nonsense", "", "x" * 10_000])
def test_f5_whatever_is_accepted_a_page_is_a_page(world: World, accept: str) -> None:
    response = world.ask("owner", "GET", START, headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/conversations", "/conversations//", "/CONVERSATIONS/", "/healthz/"])
def test_f5_almost_addresses_are_redirected_or_not_found(world: World, path: str) -> None:
    response = world.ask("owner", "GET", path)
    assert response.status_code in (301, 404)
    assert not response.headers.get("Location", "/").startswith("//")


@pytest.mark.parametrize(
    "flood",
    [
        {"Cookie": "session=" + "x" * 100_000}, {"Cookie": ";" * 50_000}, {"Accept-Language": "x" * 100_000},
        {"HX-Request": "true", "HX-Current-URL": "http://["}, {"HX-Request": "true", "HX-Current-URL": "\x00"},
        {"Referer": "http://["}, {"Last-Event-ID": "9" * 10_000}, {"X-Forwarded-For": "," * 10_000},
        {f"X-Header-{number}": "x" for number in range(10_000)},
    ],
)  # fmt: skip
def test_f3_floods_and_nonsense_in_headers_are_borne(world: World, flood: dict[str, str]) -> None:
    for role in ("anonymous", "owner"):
        for verb in ("GET", "POST"):
            assert world.ask(role, verb, START, headers=flood).status_code < 500


EXTRA = {
    "owner": 1, "owner_id": 1, "user": 1, "role": "assistant", "status": "completed", "state": "concluded",
    "text": "Planted", "cost": "0", "input_tokens": "0", "id": "00000000-0000-7000-8000-000000000000",
    "pk": "00000000-0000-7000-8000-000000000000", "created_at": "2001-01-01", "last_activity_at": "2001-01-01",
    "hidden_at": "2001-01-01", "is_staff": "on", "is_superuser": "on", "model": "gpt-9", "temperature": "99",
    "tools": "shell", "instructions": "Planted", "parameters": '{"temperature": 99}', "title": "Planted",
    "is_title_provisional": "", "parent": "", "current_leaf": "", "attempt": "9", "activity": "Planted",
    "error_text": "Planted", "conversation__owner": 1, "_state": "x", "__class__": "x",
}  # fmt: skip


@pytest.mark.parametrize("where", ["start", "send"])
def test_f6_f18_fields_that_a_form_does_not_have_are_ignored(world: World, where: str) -> None:
    stranger = world.people["stranger"]
    extra = EXTRA | dict.fromkeys(("owner", "owner_id", "user", "conversation__owner"), stranger.pk)
    address = START if where == "start" else send_to(world)
    assert world.ask("owner", "POST", address, world.form() | extra).status_code == 303
    prompt = Message.objects.get(text="A word of mine")
    (answer,) = prompt.children.all()
    call = answer.generations.get()
    conversation = prompt.conversation
    assert {prompt.owner, answer.owner, conversation.owner} == {world.people["owner"]}
    assert [prompt.role, prompt.status, answer.role, answer.status, answer.text] == [
        "user", "completed", "assistant", "queued", ""
    ]  # fmt: skip
    assert [conversation.state, conversation.hidden_at, conversation.current_leaf] == ["open", None, answer]
    assert conversation.title != "Planted"
    assert [call.model_asked, call.cost, call.input_tokens, call.instructions] == ["gpt-4o", None, None, ""]
    assert "temperature" not in call.parameters
    assert EXTRA["id"] not in {str(row.pk) for row in (prompt, answer, call, conversation)}
    for row in (prompt, answer, conversation):
        assert (timezone.now() - row.created_at).total_seconds() < 3600
    world.people["owner"].refresh_from_db()
    assert not world.people["owner"].is_staff


def test_f6_a_renaming_changes_the_title_alone(world: World) -> None:
    conversation = world.belongings.conversation
    before = dict(Conversation.objects.filter(pk=conversation.pk).values().get())
    world.ask("owner", "POST", f"/conversations/{conversation.pk}/rename/", EXTRA | {"title": "Umbrellas"})
    after = dict(Conversation.objects.filter(pk=conversation.pk).values().get())
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {"title": "Umbrellas", "is_title_provisional": False}


def test_f6_a_retry_takes_nothing_from_its_form(world: World) -> None:
    ended = world.belongings.ended
    world.ask("owner", "POST", f"/messages/{ended.pk}/retry/", EXTRA | {"model": ""})
    again = Message.objects.filter(parent=ended.parent).latest("id")
    assert (again.owner, again.role, again.status, again.text, again.attempt) == (
        ended.owner,
        "assistant",
        "queued",
        "",
        0,
    )
    stop_answer(message=again)
    ended.refresh_from_db()
    assert ended.status == "stopped"

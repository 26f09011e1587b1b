"""Exports in the back office: asked for in a form, watched, cancelled; a line for whatever is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from records.models import BulkExport
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.exporting.said import branched, make_conversation, say
from tests.factories import make_assistant, make_file, make_user
from tests.records.exported import WHY, ask, make_exporter, write
from tests.sitting import SittingClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
ADD, LIST = "/admin/records/bulkexport/add/", "/admin/records/bulkexport/"


@pytest.fixture
def exporter() -> User:
    return make_exporter()


@pytest.fixture
def client(exporter: User) -> Client:
    client = SittingClient()
    client.force_login(exporter)
    return client


def page(export: BulkExport) -> str:
    return reverse("admin:records_bulkexport_change", args=[export.pk])


def send(client: Client, **form: Any) -> Any:
    return client.post(ADD, {"reason": WHY} | form)


def test_v11_an_export_is_asked_for_with_filters_and_a_reason(client: Client, exporter: User) -> None:
    owner, group, assistant = make_user(username="maria"), Group.objects.create(name="Legal"), make_assistant()
    form = {"first_day": "2026-01-01", "last_day": "2026-01-31", "owner": " MARIA ", "state": "open", "verdict": "any"}
    response = send(client, **form, group=group.pk, assistant=assistant.pk)
    export = BulkExport.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(export))
    assert (export.reason, export.requested_by, export.state) == (WHY, exporter, "waiting")
    assert export.filters == {
        "first_day": "2026-01-01", "last_day": "2026-01-31", "owner": owner.pk, "group": group.pk,
        "assistant": assistant.pk, "state": "open", "verdict": "any",
    }  # fmt: skip
    asked = AuditEvent.objects.get(kind="export.asked")
    assert (asked.subject_id, asked.details) == (owner.pk, {"filters": export.filters})
    shown = client.get(page(export)).content.decode()
    for words in ("1 Jan 2026", "31 Jan 2026", "maria", "Legal", assistant.name, WHY, "Cancel the export"):
        assert words in shown


def test_the_reason_of_the_sitting_is_offered(client: Client) -> None:
    assert WHY in client.get(ADD).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("reason", "", "Say in a few words why"),
        ("reason", " .. ", "Say in a few words why"),
        ("reason", "x" * 501, "A reason can have 500 characters; this one has 501."),
        ("owner", "nobody\x00", "Null characters are not allowed."),
        ("owner", "nobody", "Nobody has this name or e-mail address."),
        ("first_day", "yesterday", "Enter a valid date."),
        ("last_day", "0001-01-01", "0001-01-01 is no day that anything was said on."),
        ("last_day", "9999-12-31", "9999-12-31 is no day that anything was said on."),
        ("last_day", "2025-12-31", "This is before the first day."),
        ("group", "7777777", "Select a valid choice."),
        ("group", "x", "Select a valid choice."),
        ("assistant", "9" * 40, "Select a valid choice."),
        ("state", "removed", "Select a valid choice."),
        ("verdict", "<b>", "Select a valid choice."),
    ],
    ids=[
        "no reason", "empty words", "long reason", "null", "stranger", "no date", "too early", "too late", "reversed",
        "no group", "no number", "huge", "no state", "no verdict",
    ],
)  # fmt: skip
def test_nonsense_is_told_and_nothing_is_lost(client: Client, field: str, value: str, told: str) -> None:
    response = send(client, **{"first_day": "2026-01-01"} | {field: value})
    assert response.status_code == 422
    shown = response.content.decode()
    assert told in shown
    assert field in ("reason", "first_day") or WHY in shown
    assert not BulkExport.objects.exists()


def test_a_fourth_export_at_once_is_refused_with_a_sentence(client: Client, exporter: User) -> None:
    for number in range(3):
        ask(exporter, owner=number + 1)
    response = send(client)
    assert response.status_code == 422
    assert "3 exports of yours are under way already." in response.content.decode()


def test_progress_parts_and_hashes_are_shown(client: Client) -> None:
    branched(make_user())
    export = ask()
    BulkExport.objects.update(state="running", total=1_200, done=412, problem="Storage does not answer.")
    shown = client.get(page(export)).content.decode()
    assert "412 of 1,200 written" in shown
    assert "Storage does not answer." in shown
    assert "412 of 1,200 written" in client.get(LIST).content.decode()
    BulkExport.objects.update(state="running", total=None, done=0, problem="")
    write(export)
    shown = client.get(page(export)).content.decode()
    assert "Download all as ZIP" in shown
    for part in export.parts.all():
        assert part.name in shown
        assert part.sha256 in shown
    assert "hx-get" not in shown


def test_an_expired_export_is_shown_without_links(client: Client) -> None:
    export = write(ask())
    BulkExport.objects.update(expires_at=timezone.now())
    shown = client.get(page(export)).content.decode()
    assert "Expired" in shown
    assert "/admin/exports/" not in shown


def test_an_export_is_cancelled_by_a_press_and_only_once(client: Client) -> None:
    export = ask()
    address = reverse("admin:records_bulkexport_cancel", args=[export.pk])
    assert client.get(address).status_code == 405
    for told in ("The export is cancelled.", "This export is cancelled already."):
        assert told in client.post(address, follow=True).content.decode()
    assert AuditEvent.objects.filter(kind="export.cancelled").count() == 1


def test_nothing_of_an_export_can_be_changed_or_deleted_here(client: Client) -> None:
    export = ask()
    for deed in (page(export), reverse("admin:records_bulkexport_delete", args=[export.pk])):
        assert client.post(deed, {"reason": "Other", "post": "yes"}).status_code == 403
    assert client.get("/admin/records/bulkexport/nonsense/change/").status_code == 302
    assert BulkExport.objects.get().reason == WHY


@pytest.mark.parametrize("right", ["review_conversation", "none"])
def test_reviewers_and_others_without_the_right_get_nowhere(right: str) -> None:
    export = write(ask())
    person = make_user(is_staff=True)
    if right != "none":
        person.user_permissions.add(Permission.objects.get(codename=right))
    client = SittingClient()
    client.force_login(person)
    cancel = reverse("admin:records_bulkexport_cancel", args=[export.pk])
    for response in (client.get(LIST), client.get(ADD), send(client), client.get(page(export)), client.post(cancel)):
        assert response.status_code == 403
    assert BulkExport.objects.count() == 1


def test_the_list_asks_no_more_for_more_exports(client: Client) -> None:
    counts = []
    for _ in range(2):
        for number in range(5):
            export = ask(owner=make_user().pk, group=number + 1)
            BulkExport.objects.filter(pk=export.pk).update(state="running", total=5)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_x14_hostile_text_is_inert_on_every_page_of_exports(text: str) -> None:
    person = make_exporter(first_name=text[:150], last_name=text[:150])
    owner = make_user(username=text[:150], first_name=text[:150])
    group = Group.objects.create(name=text[:150])
    assistant = make_assistant(name=text[:100])
    make_file(owner, message=say(make_conversation(owner, text, assistant=assistant), text), name=f"{text}.png")
    client = SittingClient()
    client.force_login(person)
    owner.groups.add(group)
    sent = {"owner": text[:150], "group": group.pk, "assistant": assistant.pk, "reason": text}
    assert client.post(ADD, sent).status_code == 302
    export = BulkExport.objects.get()
    refused = client.post(ADD, sent | {"owner": f"{text} nobody", "first_day": text, "state": text})
    assert (refused.status_code, _active_content(refused.content.decode())) == (422, [])
    for stage in ("waiting", "failed", "done"):
        if stage == "done":
            BulkExport.objects.update(state="running", problem="")
            write(export)
        else:
            BulkExport.objects.update(state=stage, problem=text)
        for address in (LIST, ADD, page(export), f"{LIST}{export.pk}/history/"):
            response = client.get(address)
            assert response.status_code == 200, address
            assert _active_content(response.content.decode()) == [], address

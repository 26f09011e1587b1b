"""The pages of policies, runs and tombstones, and the one that erases a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEvent
from conversations.templatetags.pages import file_size
from records.models import RetentionPolicy, RetentionRun, Tombstone
from records.services.holds import hold_conversation
from records.services.jobs import RETENTION_TASK
from records.services.runs import carry_out
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_assistant, make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import SECRET, make_old, make_policy, run_policies
from tests.services.calls import jobs

pytestmark = pytest.mark.django_db
POLICIES = reverse("admin:records_retentionpolicy_changelist")
ADD = reverse("admin:records_retentionpolicy_add")
RUNS = reverse("admin:records_retentionrun_changelist")
DRY = reverse("admin:records_retentionrun_dry")
TOMBSTONES = reverse("admin:records_tombstone_changelist")


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def superuser() -> User:
    return User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")


@pytest.fixture
def client(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


def page_of(run: RetentionRun) -> str:
    return reverse("admin:records_retentionrun_change", args=[run.pk])


def erase_page(person: User) -> str:
    return reverse("admin:records_retentionrun_erase", args=[person.pk])


def make_clerk(*rights: str) -> User:
    person = make_user(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return person


def test_a_policy_is_made_and_changed_and_the_audit_tells_of_it(client: Client) -> None:
    group = Group.objects.create(name="Lawyers")
    form = {"name": "A year", "group": group.pk, "basis": "concluded", "days": "365", "is_enabled": "on"}
    assert client.post(ADD, form).status_code == 302
    policy = RetentionPolicy.objects.get()
    assert (policy.group, policy.assistant, policy.basis, policy.days) == (group, None, "concluded", 365)
    page = client.get(POLICIES).content.decode()
    assert "members of Lawyers" in page
    assert "365 days since it was concluded" in page
    change = reverse("admin:records_retentionpolicy_change", args=[policy.pk])
    assert client.post(change, form | {"days": "30"}).status_code == 302
    assert list(AuditEvent.objects.filter(object_type="retentionpolicy").values_list("kind", "details__fields")) == [
        ("setting.added", []), ("setting.changed", ["Days"])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        ("0", "A conversation is kept for a day at least."),
        ("-3", "A conversation is kept for a day at least."),
        ("36501", "36,500 days at most."),
        ("99999999999999999999", "36,500 days at most."),
        ("many", "Enter a whole number."),
        ("", "This field is required."),
    ],
)
def test_p11_days_that_make_no_sense_are_refused_in_words(client: Client, days: str, problem: str) -> None:
    response = client.post(ADD, {"name": "Odd", "basis": "activity", "days": days})
    assert response.status_code == 200
    assert problem in response.content.decode()
    assert not RetentionPolicy.objects.exists()


def test_a_group_or_an_assistant_of_a_policy_is_not_deleted_under_it(client: Client) -> None:
    group, assistant = Group.objects.create(name="Lawyers"), make_assistant()
    make_policy(30, group=group, assistant=assistant)
    response = client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert "protected" in response.content.decode()
    client.post(reverse("admin:conversations_assistant_delete", args=[assistant.pk]), {"post": "yes"})
    policy = RetentionPolicy.objects.get()
    assert (policy.group, policy.assistant) == (group, assistant)


def test_the_button_has_a_job_count_what_the_policies_would_remove(client: Client, superuser: User) -> None:
    make_old()
    make_policy(30)
    for address in (RUNS, POLICIES):
        assert b"Make a dry run" in client.get(address).content
    response = client.post(DRY)
    run = RetentionRun.objects.get()
    assert (response.status_code, response["Location"]) == (303, page_of(run))
    assert (run.is_dry, run.requested_by) == (True, superuser)
    assert jobs(RETENTION_TASK) == [{"run_id": str(run.pk)}]
    assert "Nothing is counted yet." in client.get(page_of(run)).content.decode()
    assert client.post(DRY)["Location"] == page_of(run)
    assert carry_out(run_id=run.pk)
    page = client.get(page_of(run)).content.decode()
    assert "What would be removed" in page
    assert '<th scope="row">Conversations</th>' in page
    assert Tombstone.objects.count() == 0
    assert AuditEvent.objects.get(kind="retention.counted").actor_id == superuser.pk


def test_runs_and_tombstones_are_listed_with_numbers_and_no_text(client: Client) -> None:
    old = make_old()
    held = make_old()
    hold_conversation(conversation_id=held.pk, placed_by=make_user(), reason="Case 2")
    make_policy(30)
    run = run_policies()
    page = client.get(RUNS).content.decode()
    assert "The nightly job" in page
    assert "1 by a hold" in page
    assert f"?run__exact={run.pk}" in client.get(page_of(run)).content.decode()
    listed = client.get(TOMBSTONES, {"run__exact": str(run.pk)}).content.decode()
    assert str(old.pk) in listed
    assert str(held.pk) not in listed
    shown = client.get(reverse("admin:records_tombstone_change", args=[old.pk])).content.decode()
    assert str(old.owner_id) in shown
    for text in (page, listed, shown):
        assert SECRET not in text
        assert old.owner.username not in text


@pytest.mark.parametrize("words", ["", "no id", "%", "01990000-0000-7000-8000-000000000001", "<script>"])
def test_p11_a_search_of_tombstones_finds_what_there_is_and_never_fails(client: Client, words: str) -> None:
    response = client.get(TOMBSTONES, {"q": words})
    assert response.status_code == 200
    assert _active_content(response.content.decode()) == []


def test_a_run_that_waits_says_what_for(client: Client) -> None:
    run = RetentionRun.objects.create(kind="policies", problem="Storage does not delete anything just now.")
    assert "Running, waiting" in client.get(RUNS).content.decode()
    assert "Storage does not delete anything just now." in client.get(page_of(run)).content.decode()


def test_the_page_of_an_erasure_shows_what_goes_and_what_stays(client: Client) -> None:
    person = make_old().owner
    change = reverse("admin:accounts_user_change", args=[person.pk])
    assert f'href="{erase_page(person)}"' in client.get(change).content.decode()
    page = client.get(erase_page(person)).content.decode()
    assert "1 conversation with 2 messages and 2 model calls" in page
    assert f"1 file ({file_size(70)})" in page
    assert f"Stays, under the number {person.pk}" in page
    assert RetentionRun.objects.count() == 0


def test_an_erasure_is_asked_for_with_the_username_and_a_reason_and_reported(client: Client) -> None:
    person = make_old(is_sealed=True).owner
    response = client.post(erase_page(person), {"username": person.username, "reason": "Request 12"}, follow=True)
    run = RetentionRun.objects.get()
    assert response.redirect_chain == [(page_of(run), 303)]
    assert "The account is shut" in response.content.decode()
    assert client.get(reverse("admin:records_retentionrun_report", args=[run.pk])).status_code == 404
    person.refresh_from_db()
    assert not person.is_active
    assert carry_out(run_id=run.pk)

    response = client.get(reverse("admin:records_retentionrun_report", args=[run.pk]))
    assert response["Content-Disposition"] == f'attachment; filename="erasure-{run.pk}.json"'
    report = json.loads(response.content)
    tombstone = Tombstone.objects.get()
    assert (report["person"], report["state"], report["removed"]["conversations"]) == (person.pk, "done", 1)
    assert report["kept"]["sums_of_use"] == {"days": 1, "calls": 1}
    assert [told["conversation_id"] for told in report["tombstones"]] == [str(tombstone.pk)]
    assert report["tombstones"][0]["sealed_sha256"] == tombstone.sealed_sha256
    assert person.username not in response.content.decode()
    assert SECRET not in response.content.decode()
    assert "Report as JSON" in client.get(page_of(run)).content.decode()
    assert "erased already" in client.get(erase_page(person)).content.decode()


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"username": "{name}"}, "Say in a few words why"),
        ({"reason": "Request 12"}, "This field is required."),
        ({"username": "another", "reason": "Request 12"}, "This is not the username of the person"),
    ],
)
def test_nobody_is_erased_by_a_slip(client: Client, form: dict[str, str], problem: str) -> None:
    person = make_user()
    given = {name: value.format(name=person.username) for name, value in form.items()}
    response = client.post(erase_page(person), given)
    assert response.status_code == 422
    assert problem in response.content.decode()
    assert not RetentionRun.objects.exists()


def test_an_erasure_is_refused_while_a_hold_is_in_force_and_the_page_names_it(client: Client) -> None:
    conversation = make_old()
    person = conversation.owner
    hold = hold_conversation(conversation_id=conversation.pk, placed_by=make_user(), reason="Case 2")
    page = client.get(erase_page(person)).content.decode()
    assert reverse("admin:records_legalhold_change", args=[hold.pk]) in page
    assert 'type="submit" class="retention-danger"' not in page
    response = client.post(erase_page(person), {"username": person.username, "reason": "Request 12"})
    assert response.status_code == 409
    assert f"A hold is in force: {hold.pk} on conversation {conversation.pk}" in response.content.decode()
    assert not RetentionRun.objects.exists()
    person.refresh_from_db()
    assert person.is_active


def test_who_may_only_see_runs_erases_nobody_and_the_other_way_round(client: Client) -> None:
    person, run = make_user(), RetentionRun.objects.create(kind="policies")
    client.force_login(make_clerk("view_retentionrun"))
    assert client.get(erase_page(person)).status_code == 403
    assert client.get(page_of(run)).status_code == 200
    client.force_login(make_clerk("erase_person"))
    assert client.get(page_of(run)).status_code == 403
    assert client.post(DRY).status_code == 403
    sent = client.post(erase_page(person), {"username": person.username, "reason": "Request 12"})
    assert (sent.status_code, sent["Location"]) == (303, "/admin/")


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_hostile_text_is_inert_on_every_page_of_retention(client: Client, text: str) -> None:
    person = make_user(username=text[:150], first_name=text[:150], last_name=text[:150])
    policy = make_policy(30, name=text[:100], group=Group.objects.create(name=text[:150]))
    client.post(erase_page(person), {"username": text[:150], "reason": text})
    run = RetentionRun.objects.get()
    assert run.reason
    RetentionRun.objects.update(problem=text)
    pages = [POLICIES, RUNS, page_of(run), erase_page(person), ADD]
    pages += [f"{POLICIES}{policy.pk}/{page}/" for page in ("change", "history", "delete")]
    pages += [reverse("admin:accounts_user_change", args=[person.pk])]
    for page in pages:
        response = client.get(page)
        assert response.status_code == 200, page
        assert _active_content(response.content.decode()) == [], page
    refused = client.post(erase_page(make_user(first_name=text[:150])), {"username": text, "reason": text})
    assert (refused.status_code, _active_content(refused.content.decode())) == (422, [])


def test_lists_ask_no_more_of_the_database_the_longer_they_are(client: Client) -> None:
    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    def fill() -> None:
        for _ in range(5):
            conversation = make_old()
            hold_conversation(conversation_id=make_old().pk, placed_by=make_user(), reason="Case 2")
            make_policy(30, group=Group.objects.create(name=str(conversation.pk)))
            RetentionRun.objects.create(kind="policies", state="done", requested_by=make_user())
        RetentionPolicy.objects.update(group=None)
        run_policies()

    addresses = (POLICIES, RUNS, TOMBSTONES, reverse("admin:records_legalhold_changelist"))
    fill()
    before = [count(address) for address in addresses]
    fill()
    assert [count(address) for address in addresses] == before

"""Changes of people, rights and settings are in the audit: who, whose, which fields, and no value that people wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from audit import services
from audit.environment import note_environment
from audit.models import AuditEvent, KnownSetting
from tests.factories import make_assistant, make_user

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, int | None, str, dict[str, Any]]]:
    """Kind, who did it, to what, and what of it, without sign-ins and how people came to be."""
    events = AuditEvent.objects.exclude(kind__in=["account.signed_in", "account.added"]).order_by("seq")
    return [(event.kind, event.actor_id, f"{event.object_type} {event.object_id}", event.details) for event in events]


def test_rights_given_in_the_back_office_are_told_with_who_gave_them(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    person, group = make_user(), Group.objects.create(name="The secret circle")
    right = Permission.objects.get(codename="review_conversation")
    AuditEvent.objects.filter(kind="group.added").get(object_id=str(group.pk))
    address = reverse("admin:accounts_user_change", args=[person.pk])
    data = {"username": person.username, "email": person.email, "is_active": "on", "is_staff": "on"}
    data |= {"first_name": "Ada"}
    given = {"groups": [group.pk], "user_permissions": [right.pk]}
    assert client.post(address, data | given).status_code == 302
    whom = f"user {person.pk}"
    assert told()[1:] == [
        ("rights.changed", superuser.pk, whom, {"is_staff": True}),
        ("account.changed", superuser.pk, whom, {"fields": ["first_name"]}),
        ("rights.changed", superuser.pk, whom, {"groups_added": [group.pk]}),
        ("rights.changed", superuser.pk, whom, {"permissions_added": ["conversations.review_conversation"]}),
    ]
    assert client.post(address, data | {"user_permissions": [right.pk], "is_staff": ""}).status_code == 302
    assert told()[-2:] == [
        ("rights.changed", superuser.pk, whom, {"is_staff": False}),
        ("rights.changed", superuser.pk, whom, {"groups_removed": [group.pk]}),
    ]
    assert "secret circle" not in json.dumps(told())
    assert "Ada" not in json.dumps(told())


def test_a_right_of_a_group_is_told_from_whichever_side_it_was_changed() -> None:
    group, person, right = Group.objects.create(name="Readers"), make_user(), Permission.objects.all()[0]
    code = f"{right.content_type.app_label}.{right.codename}"
    group.permissions.add(right)
    group.permissions.add(right)  # nothing new
    right.group_set.remove(group)
    group.user_set.add(person)
    person.groups.clear()
    person.user_permissions.set([right])
    person.user_permissions.clear()
    group.permissions.add(right)
    group.permissions.clear()
    assert [row[2:] for row in told()] == [
        (f"group {group.pk}", {}),
        (f"group {group.pk}", {"permissions_added": [code]}),
        (f"group {group.pk}", {"permissions_removed": [code]}),
        (f"user {person.pk}", {"groups_added": [group.pk]}),
        (f"user {person.pk}", {"groups_removed": [group.pk]}),
        (f"user {person.pk}", {"permissions_added": [code]}),
        (f"user {person.pk}", {"permissions_removed": [code]}),
        (f"group {group.pk}", {"permissions_added": [code]}),
        (f"group {group.pk}", {"permissions_removed": [code]}),
    ]
    assert {row[1] for row in told()} == {None}


def test_a_group_made_renamed_and_deleted_is_told(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    client.post(reverse("admin:auth_group_add"), {"name": "Readers"})
    group = Group.objects.get()
    client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Auditors"})
    client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    whom = f"group {group.pk}"
    assert told() == [
        ("group.added", superuser.pk, whom, {}),
        ("group.changed", superuser.pk, whom, {"fields": ["name"]}),
        ("group.deleted", superuser.pk, whom, {}),
    ]


def test_a_person_made_and_deleted_is_told() -> None:
    person = make_user(is_staff=True)
    pk = person.pk
    person.delete()
    events = AuditEvent.objects.values_list("kind", "object_id", "subject_id", "details")
    assert list(events) == [
        ("account.added", str(pk), pk, {"is_active": True, "is_staff": True, "is_superuser": False}),
        ("account.deleted", str(pk), pk, {}),
    ]


def test_a_password_changed_by_its_owner_is_told_and_one_hashed_anew_is_not(client: Client) -> None:
    person = make_user(password="a-fair-password-17")
    client.force_login(person)
    old, new = "a-fair-password-17", "another-password-18"
    data = {"oldpassword": old, "password1": new, "password2": new}
    assert client.post(reverse("account_change_password"), data).status_code == 302
    assert told() == [("account.changed", person.pk, f"user {person.pk}", {"fields": ["password"]})]
    person.refresh_from_db()
    User.objects.filter(pk=person.pk).update(password=f"md5$$x{person.password}")
    person = User.objects.get(pk=person.pk)
    person.password = "md5$other$0"
    person.save(update_fields=["password"])
    assert len(told()) == 1


def test_nothing_is_told_of_a_save_that_changes_nothing(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    superuser.save()
    superuser.last_login = None
    superuser.save(update_fields=["last_login"])
    assert told() == []


def test_a_setting_changed_in_the_back_office_is_told_by_the_names_of_its_fields(
    client: Client, superuser: User
) -> None:
    client.force_login(superuser)
    assistant = make_assistant(name="A secret name")
    address = reverse("admin:conversations_assistant_change", args=[assistant.pk])
    data = {"name": "Another secret", "slug": assistant.slug, "instructions": "Something secret", "position": "0"}
    data |= {"is_enabled": "on", "parameters": "{}", "suggested_prompts": "[]"}
    assert client.post(address, data).status_code == 302
    assert told() == [
        ("setting.changed", superuser.pk, f"assistant {assistant.pk}", {"fields": ["Instructions", "Name"]})
    ]
    assert "ecret" not in json.dumps(told())


def test_a_deletion_in_the_back_office_is_told_by_a_job(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    assistant = make_assistant()
    pk = assistant.pk
    address = reverse("admin:conversations_assistant_delete", args=[pk])
    assert client.post(address, {"post": "yes"}).status_code == 302
    (job,) = ProcrastinateJob.objects.filter(task_name="records.tasks.write_audit")
    services.write_deferred(**job.args)
    ((kind, actor, what, details),) = told()
    assert (kind, actor, what) == ("setting.deleted", superuser.pk, f"assistant {pk}")
    assert set(details) == {"fields", "happened_at"}


def test_variables_that_changed_since_the_last_start_are_told_by_name() -> None:
    first = {"SECRET_KEY": "a", "TIME_ZONE": "b", "DEBUG": "c"}
    assert note_environment(fingerprints=first) == []
    assert note_environment(fingerprints=first) == []
    assert note_environment(fingerprints={"SECRET_KEY": "a", "TIME_ZONE": "z", "PORT": "p"}) == [
        "DEBUG",
        "PORT",
        "TIME_ZONE",
    ]
    assert told() == [("setting.changed", None, "environment ", {"names": ["DEBUG", "PORT", "TIME_ZONE"]})]
    assert note_environment(fingerprints=dict.fromkeys(first, "other")) == ["SECRET_KEY"]
    assert set(KnownSetting.objects.values_list("name", "digest")) == {(name, "other") for name in first}


def test_v5_fingerprints_hold_no_value_and_leave_out_what_each_start_chooses(settings: Any) -> None:
    assert {"SECRET_KEY", "TIME_ZONE", "MAX_PROMPT_CHARS"} <= set(settings.ENVIRONMENT)
    assert "OPENAI_BASE_URL" not in settings.ENVIRONMENT  # an address on this machine
    assert all(len(digest) == 64 for digest in settings.ENVIRONMENT.values())
    assert settings.SECRET_KEY not in str(settings.ENVIRONMENT)

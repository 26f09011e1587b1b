"""Sealed documents and events in the back office: read by reviewers, written by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from conversations.models import Event, SealedDocument
from tests.fakes.folder import FilesFolder
from tests.services.concluded import make_sealed

pytestmark = pytest.mark.django_db
MODELS = [SealedDocument, Event]
type Recorded = type[SealedDocument] | type[Event]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def url(model: Recorded, page: str, *args: object) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("person", ["superuser", "reviewer"])
def test_a12_reviewers_read_and_nobody_writes(
    client: Client, request: pytest.FixtureRequest, person: str, model: Recorded
) -> None:
    sealed = make_sealed()
    client.force_login(request.getfixturevalue(person))
    pk = model.objects.values_list("pk", flat=True)[0]
    before = list(model.objects.values())
    for page in (client.get(url(model, "changelist")), client.get(url(model, "change", pk))):
        assert page.status_code == 200
    assert sealed.sha256 in client.get(url(model, "change", pk)).content.decode()
    data = {"sha256": "0" * 64, "data": "{}", "_save": "Save"}
    assert client.post(url(model, "change", pk), data).status_code == 403
    assert client.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403
    assert client.post(url(model, "add"), data).status_code == 403
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_the_right_reads_nothing(client: Client, staff: User, model: Recorded) -> None:
    make_sealed()
    client.force_login(staff)
    pk = model.objects.values_list("pk", flat=True)[0]
    for address in (url(model, "changelist"), url(model, "change", pk)):
        assert client.get(address).status_code == 403


def test_where_a_document_lies_is_shown_as_an_address_of_s3(client: Client, reviewer: User) -> None:
    sealed = make_sealed()
    SealedDocument.objects.update(bucket="record-of-the-house")
    client.force_login(reviewer)
    address = f"s3://record-of-the-house/{sealed.key}"
    assert address in client.get(url(SealedDocument, "changelist")).content.decode()
    assert address in client.get(url(SealedDocument, "change", sealed.pk)).content.decode()


def test_a_document_is_found_by_its_hash(client: Client, reviewer: User) -> None:
    wanted, _ = make_sealed(), make_sealed("Another")
    client.force_login(reviewer)
    found = client.get(url(SealedDocument, "changelist"), {"q": wanted.sha256}).context["cl"].result_list
    assert [row.pk for row in found] == [wanted.pk]


@pytest.mark.parametrize("model", MODELS)
def test_queries_do_not_grow_with_the_rows(client: Client, reviewer: User, model: Recorded) -> None:
    client.force_login(reviewer)
    counts = []
    for _ in range(2):
        make_sealed()
        make_sealed("Another")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(model, "changelist")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]

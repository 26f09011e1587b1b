"""The record in the back office: who reads it, and that nobody writes it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from tests.admin.record import make_thread

RECORD = [Conversation, Message, Generation]
type Recorded = type[Conversation] | type[Message] | type[Generation]


def _url(model: Recorded, page: str, *args: object) -> str:
    return reverse(f"admin:conversations_{model._meta.model_name}_{page}", args=args)


def _snapshot() -> list[object]:
    return [list(model._default_manager.order_by("pk").values()) for model in RECORD]


@pytest.mark.parametrize("model", RECORD)
@pytest.mark.parametrize("person", ["superuser", "reviewer"])
def test_a12_reviewers_read_and_nobody_writes(
    client: Client, request: pytest.FixtureRequest, person: str, model: Recorded
) -> None:
    client.force_login(request.getfixturevalue(person))
    make_thread()
    pk = model.objects.values_list("pk", flat=True)[0]
    before = _snapshot()
    page = client.get(_url(model, "change", pk))
    assert page.status_code == 200
    content = page.content.decode()
    assert 'name="_save"' not in content
    assert "deletelink" not in content
    data = {"title": "Rewritten", "text": "Rewritten", "status": "failed", "cost": "0", "_save": "Save"}
    assert client.post(_url(model, "change", pk), data).status_code == 403
    assert client.post(_url(model, "delete", pk), {"post": "yes"}).status_code == 403
    assert client.get(_url(model, "delete", pk)).status_code == 403
    assert client.get(_url(model, "add")).status_code == 403
    assert client.post(_url(model, "add"), data).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [pk], "post": "yes", "index": 0}
    client.post(_url(model, "changelist"), action)
    assert client.get(_url(model, "history", pk)).status_code == 200
    assert _snapshot() == before


@pytest.mark.parametrize("model", RECORD)
def test_staff_without_the_right_reads_nothing(client: Client, staff: User, model: Recorded) -> None:
    make_thread()
    client.force_login(staff)
    pk = model.objects.values_list("pk", flat=True)[0]
    for url in (_url(model, "changelist"), _url(model, "change", pk), _url(model, "history", pk)):
        assert client.get(url).status_code == 403
    assert "conversations" not in [app["app_label"] for app in client.get("/admin/").context["app_list"]]


def test_a12_no_right_to_change_the_record_can_be_given(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    offered = client.get(reverse("admin:auth_group_add")).content.decode()
    assert "Can read the conversations of others" in offered
    for model in ("message", "generation", "conversation"):
        assert f"Can change {model}" not in offered
        assert f"Can delete {model}" not in offered


def test_the_owner_reads_no_admin_page_of_their_own_conversation(client: Client, db: None) -> None:
    conversation = make_thread()
    client.force_login(conversation.owner)
    response = client.get(_url(Conversation, "change", conversation.pk), follow=True)
    assert response.status_code == 403


def test_page_of_a_model_call_shows_every_column(client: Client, reviewer: User) -> None:
    make_thread()
    client.force_login(reviewer)
    call = Generation.objects.get()
    form = client.get(_url(Generation, "change", call.pk)).context["adminform"]
    shown = {name for _, options in form.fieldsets for line in options["fields"] for name in _flat(line)}
    assert shown == {field.name for field in Generation._meta.concrete_fields}


def _flat(line: object) -> list[str]:
    """Return the names of the columns in one line of a form."""
    columns = line if isinstance(line, tuple) else (line,)
    return [str(column).removeprefix("shown_") for column in columns]


def test_unknown_tokens_and_cost_are_shown_as_unknown(client: Client, reviewer: User) -> None:
    make_thread()
    Generation.objects.update(input_tokens=None, cost=None, error_code="")
    client.force_login(reviewer)
    listed = client.get(_url(Generation, "changelist")).content.decode()
    for column in ("input_tokens", "cost"):
        assert f'<td class="field-shown_{column}">unknown</td>' in listed
    assert '<td class="field-shown_output_tokens">5</td>' in listed
    assert '<td class="field-error_code">-</td>' in listed
    page = client.get(_url(Generation, "change", Generation.objects.get().pk)).content.decode()
    assert page.count('<div class="readonly">unknown</div>') == 4


def test_page_of_a_message_shows_every_column(client: Client, reviewer: User) -> None:
    make_thread()
    client.force_login(reviewer)
    form = client.get(_url(Message, "change", Message.objects.values_list("pk", flat=True)[0])).context["adminform"]
    shown = {name for _, options in form.fieldsets for line in options["fields"] for name in _flat(line)}
    assert shown == {field.name for field in Message._meta.concrete_fields} - {"search_vector"}

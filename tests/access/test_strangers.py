"""What belongs to somebody else is as if it were not there, however it is asked for."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from conversations.history.cursors import Cursor
from conversations.models import Conversation, Message
from tests.access.record import changed_tables, snapshot
from tests.access.routes import all_routes
from tests.access.table import PAGES, Outcome
from tests.access.world import SECRET, Belongings, World
from tests.factories import make_assistant, token
from tests.pages.record import HTMX

OF_SOMEBODY = [
    (route, verb)
    for route, row in PAGES.items()
    for verb, outcomes in row.items()
    if outcomes["stranger"] == Outcome(404)
]
IN_NO_CONVERSATION = {"conversations:attachment_remove", "records:token_revoke"}  # a file not sent yet, a token
OF_THE_HIDDEN = {"conversations:hide", "conversations:restore"}  # twice is once, and what is hidden can be had back


@pytest.mark.parametrize("role", ["stranger", "reviewer", "administrator"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a2_a16_the_answer_is_the_one_for_an_id_that_never_was(
    world: World, role: str, headers: dict[str, str]
) -> None:
    for route, verb in OF_SOMEBODY:
        pattern = all_routes()[route]
        foreign = world.ask(role, verb, world.address(route, pattern), headers=headers)
        missing = world.ask(role, verb, world.missing_address(pattern), headers=headers)
        assert foreign.status_code == missing.status_code == 404, route
        assert foreign.content == missing.content, route
        assert foreign.headers == missing.headers, route


def test_a7_a_hidden_conversation_is_gone_for_its_owner_too(world: World) -> None:
    Conversation.objects.filter(owner=world.people["owner"]).update(hidden_at=timezone.now())
    before = snapshot()
    for route, verb in OF_SOMEBODY:
        if route in IN_NO_CONVERSATION | OF_THE_HIDDEN:
            continue
        assert world.ask("owner", verb, world.address(route, all_routes()[route])).status_code == 404, route
    assert SECRET not in world.ask("owner", "GET", "/conversations/").content.decode()
    assert changed_tables(before, snapshot()) == []


@pytest.mark.parametrize("role", ["stranger", "staff", "reviewer", "administrator"])
def test_a7_the_list_shows_own_rows_alone(world: World, role: str) -> None:
    for query in ("", f"?before={world.belongings.conversation.pk}", f"?q={SECRET}", "?show=1000"):
        page = world.ask(role, "GET", f"/conversations/{query}").content.decode()
        assert SECRET not in page
        assert str(world.belongings.conversation.pk) not in page
    assert SECRET in world.ask("owner", "GET", "/conversations/").content.decode()


def test_a1_a_foreign_cursor_is_refused_like_nonsense(world: World) -> None:
    owner = world.people["owner"]
    at = world.belongings.conversation
    cursors = [Cursor(at.last_activity_at, at.pk).write(owner, of) for of in ("rail", "last_activity_at", "hidden_at")]
    for address in ("conversations/?before", "conversations/rail/?before", "conversations/find/?after"):
        answers = [
            world.ask("stranger", "GET", f"/{address}={cursor}") for cursor in [*cursors, str(at.pk), "nonsense"]
        ]
        assert {answer.status_code for answer in answers} == {400}
        assert len({answer.content for answer in answers}) == 1


def foreign_ids(world: World) -> dict[str, str]:
    """Return names that a careless view might take an id from, each with one of the owner's."""
    conversation, message = str(world.belongings.conversation.pk), str(world.belongings.ended.pk)
    return dict.fromkeys(("conversation", "conversation_id", "thread", "thread_id", "id", "pk"), conversation) | (
        dict.fromkeys(("message", "message_id", "parent", "parent_id", "reply_to", "current_leaf", "leaf"), message)
    )


def rows_of_owner(world: World) -> list[tuple[object, ...]]:
    owner = world.people["owner"]
    return [
        *Conversation.objects.filter(owner=owner).order_by("id").values_list(),
        *Message.objects.filter(owner=owner).order_by("id").values_list(),
    ]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a1_a4_foreign_ids_in_form_query_and_headers_reach_nothing(world: World, headers: dict[str, str]) -> None:
    mine = Belongings.of(world.people["stranger"], world.assistant, "Mine")
    ids, before = foreign_ids(world), rows_of_owner(world)
    page = f"http://testserver/conversations/{world.belongings.conversation.pk}/"
    headers = headers | {"HX-Current-URL": page, "Referer": page, "HX-Target": f"message-{ids['message']}"}
    headers |= {f"X-{name.replace('_', '-')}": value for name, value in ids.items()}
    query = "&".join(f"{name}={value}" for name, value in ids.items())
    send_to = f"/conversations/{mine.conversation.pk}/messages/?{query}"
    for address, form in ((f"/conversations/?{query}", ids), (send_to, ids), (send_to, ids | {"parent": ""})):
        response = world.ask("stranger", "POST", address, world.form() | form, headers=headers)
        is_refused = address == send_to and form is ids  # a message may go on from one of the same conversation alone
        assert response.status_code in ((409,) if is_refused else (200, 303))
        assert SECRET not in response.content.decode()
        assert str(world.belongings.conversation.pk) not in str(response.headers)
    assert rows_of_owner(world) == before
    for message in Message.objects.filter(text="A word of mine"):
        assert message.owner == message.conversation.owner == world.people["stranger"]
        assert message.parent is None or message.parent.owner == world.people["stranger"]


def test_a4_the_last_message_seen_may_be_anybodys_and_shows_nothing(world: World) -> None:
    mine = Belongings.of(world.people["stranger"], world.assistant, "Mine")
    data = world.form() | {"after": str(world.belongings.ended.pk)}
    response = world.ask("stranger", "POST", f"/conversations/{mine.conversation.pk}/messages/", data, headers=HTMX)
    assert response["HX-Redirect"].startswith(f"/conversations/{mine.conversation.pk}/?at=")
    assert response.content == b""


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a1_a_file_of_somebody_else_goes_along_with_no_message(world: World, headers: dict[str, str]) -> None:
    before = snapshot()
    for foreign in (world.belongings.unsent, world.belongings.picture):
        response = world.ask(
            "stranger", "POST", "/conversations/", world.form() | {"attachments": str(foreign.pk)}, headers=headers
        )
        assert response.status_code == 422
        assert str(foreign.pk) not in response.content.decode()
        assert foreign.name not in response.content.decode()
    assert changed_tables(before, snapshot()) == []


def test_a1_a_token_of_somebody_else_is_just_a_token(world: World) -> None:
    used = world.belongings.prompt.client_token
    for prompt in (SECRET, "Something else"):
        data = world.form() | {"client_token": str(used), "prompt": prompt}
        response = world.ask("stranger", "POST", "/conversations/", data)
        assert response.status_code in (303, 409)
    assert Message.objects.filter(client_token=used).count() == 2
    assert Conversation.objects.filter(owner=world.people["stranger"]).count() == 1


def test_a1_an_assistant_for_others_is_like_one_that_never_was(world: World) -> None:
    assistant = make_assistant(slug="for-others", name="Confidential matters", suggested_prompts=["A hint of it"])
    assistant.groups.add(Group.objects.create(name="Others"))
    before, answers = snapshot(), []
    for slug in ("for-others", "never-was"):
        data = world.form() | {"assistant": slug, "client_token": str(token())}
        response = world.ask("stranger", "POST", "/conversations/", data)
        assert response.status_code == 422
        answers.append(response.context["form"].errors)
        assert "A word of mine" in response.content.decode()
        page = world.ask("stranger", "GET", f"/conversations/?assistant={slug}&suggestion=1").content.decode()
        for text in (page, response.content.decode()):
            assert "Confidential matters" not in text
            assert "A hint of it" not in text
    assert answers[0] == answers[1]
    assert changed_tables(before, snapshot()) == []


def test_a1_an_assistant_that_became_one_for_others_answers_no_more(world: World) -> None:
    world.assistant.groups.add(Group.objects.create(name="Others"))
    before = snapshot()
    assert (
        world.ask("owner", "POST", world.address("conversations:send", "conversations/<uuid:pk>/messages/")).status_code
        == 422
    )
    assert (
        world.ask("owner", "POST", world.address("conversations:retry", "messages/<uuid:pk>/retry/")).status_code == 422
    )
    assert changed_tables(before, snapshot()) == []


def test_staff_without_rights_cannot_tell_what_is_there(world: World) -> None:
    for kind in ("conversation", "message", "generation", "user", "assistant"):
        app = "accounts" if kind == "user" else "conversations"
        for action in ("change", "delete"):
            pattern = f"admin/{app}/{kind}/<path:object_id>/{action}/"
            there = world.ask("staff", "GET", world.address("admin:", pattern))
            missing = world.ask("staff", "GET", world.missing_address(pattern))
            assert there.status_code == missing.status_code == 403
            assert there.content == missing.content

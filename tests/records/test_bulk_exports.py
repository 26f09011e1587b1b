"""What an export of many conversations holds, and which conversations it takes."""

from __future__ import annotations

import datetime
import hashlib
import json
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from audit.models import AuditEvent
from conversations.models import Attachment, Conversation, Generation
from conversations.services import Refused
from records.models import BulkExport, BulkExportPart, Review
from tests.exporting.said import branched, hide, make_conversation, say
from tests.factories import make_assistant, make_file, make_model, make_user
from tests.fakes.folder import FilesFolder
from tests.records.exported import ask, bury, chosen, claim, days_ago, make_exporter, manifest, parts, rows, write
from tests.services.concluded import make_sealed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def test_v11_an_export_holds_everything_that_is_on_record_of_a_conversation() -> None:
    owner = make_user(username="maria", email="maria@example.org", first_name="Maria")
    conversation = branched(owner)
    Generation.objects.update(instructions="Be brief.", error_detail="for administrators")
    Generation.objects.create(
        purpose="title", conversation=conversation, model=make_model(), model_asked="gpt-4o", instructions="Name it."
    )
    head, *messages = rows(write(ask()))
    assert (head["type"], head["id"], head["title"]) == ("conversation", str(conversation.pk), conversation.title)
    assert head["owner"] == {"id": owner.pk, "username": "maria", "email": "maria@example.org", "name": "Maria"}
    assert [(call["purpose"], call["instructions"]) for call in head["other_generations"]] == [("title", "Name it.")]
    said = conversation.messages.order_by("id")
    assert [(row["message_id"], row["content"]) for row in messages] == [(str(one.pk), one.text) for one in said]
    assert {row["conversation_id"] for row in messages} == {str(conversation.pk)}
    call = messages[1]["generations"][0]
    assert (call["instructions"], call["error_detail"], call["cost_usd"]) == (
        "Be brief.", "for administrators", "0.00334000",
    )  # fmt: skip
    assert messages[2]["feedback"]["reason"] == "It is right"


def test_files_lie_under_names_without_a_word_of_their_own_and_the_messages_say_where() -> None:
    branched(make_user())
    export = write(ask())
    file = Attachment.objects.get()
    told = next(row["attachments"][0] for row in rows(export) if row.get("attachments"))
    assert told["path"] == f"files/{file.key.rpartition('/')[2]}.csv"
    assert (told["name"], told["sha256"]) == ("sums.csv", file.sha256)
    assert parts(export)[told["path"]] == b"a,b\n1,2\n"
    assert file.key not in {part.key for part in BulkExportPart.objects.all()}


def test_rows_that_share_an_object_share_its_part() -> None:
    owner = make_user()
    first = make_file(owner, message=say(make_conversation(owner), "One"))
    Attachment.objects.create(
        owner=owner, message=say(make_conversation(owner), "Two"), origin="user", state="ready", key=first.key,
        name="again.png", content_type="image/png", size=first.size, sha256=first.sha256, ready_at=timezone.now(),
    )  # fmt: skip
    export = write(ask())
    assert len([name for name in parts(export) if name.startswith("files/")]) == 1
    assert len({row["attachments"][0]["path"] for row in rows(export) if row.get("attachments")}) == 1


def test_a_file_that_storage_lost_or_changed_is_told_and_keeps_nothing_else(folder: FilesFolder) -> None:
    owner = make_user()
    prompt = say(make_conversation(owner), "See these")
    lost, changed, whole = (make_file(owner, message=prompt, data=data) for data in (b"one", b"two", b"three"))
    (folder.path / lost.key).unlink()
    (folder.path / changed.key).write_bytes(b"owt")
    export = write(ask())
    problems = {row["attachment_id"]: row["problem"] for row in rows(export, "problems")}
    assert problems == {
        str(lost.pk): "It is missing in storage.",
        str(changed.pk): "Storage holds other bytes than were put there.",
    }
    assert [name for name in parts(export) if name.startswith("files/")] == [
        f"files/{whole.key.rpartition('/')[2]}.png"
    ]


def test_v11_the_manifest_tells_every_part_with_its_hash_and_what_was_asked_by_whom_and_why() -> None:
    branched(make_user())
    person = make_exporter(username="dora")
    export = write(ask(person, last_day=datetime.date(2026, 12, 31)))
    told, found = manifest(export), parts(export)
    asked = AuditEvent.objects.get(kind="export.asked")
    assert told.pop("parts") == [
        {"name": name, "kind": BulkExportPart.objects.get(name=name).kind, "size": len(found[name]),
         "sha256": hashlib.sha256(found[name]).hexdigest()}
        for name in sorted(found) if name != "manifest.json"
    ]  # fmt: skip
    assert told == {
        "format": 1, "export": str(export.pk), "asked_at": export.created_at.isoformat(),
        "asked_by": {"id": person.pk, "username": "dora"}, "reason": export.reason, "audit_event": asked.seq,
        "filters": {"last_day": "2026-12-31"}, "conversations": 1,
    }  # fmt: skip
    assert (asked.actor_id, asked.reason, asked.object_id) == (person.pk, export.reason, str(export.pk))


def test_the_audit_tells_whose_conversations_left_and_the_hash_of_the_manifest() -> None:
    owners = [make_user(), make_user()]
    for owner in owners:
        branched(owner)
    export = write(ask())
    written = AuditEvent.objects.get(kind="export.written")
    assert written.details == {
        "conversations": 2,
        "manifest_sha256": export.parts.get(kind="manifest").sha256,
        "owners": [owner.pk for owner in owners],
    }
    assert written.actor_id == export.requested_by_id


def test_reviews_and_what_is_left_of_removed_conversations_are_in_it() -> None:
    owner, reviewer = make_user(), make_user(username="reviewer")
    conversation = branched(owner)
    now = timezone.now()
    Review.objects.create(
        conversation=conversation, state="done", claimed_by=reviewer, claimed_at=now, decided_at=now, verdict="concern",
        note="Ask <b>legal</b>",
    )  # fmt: skip
    buried = bury(owner, conversation_id=uuid4())
    export = write(ask())
    (review,) = rows(export, "reviews")
    assert (review["conversation"], review["verdict"], review["note"]) == (
        str(conversation.pk), "concern", "Ask <b>legal</b>",
    )  # fmt: skip
    (tombstone,) = rows(export, "tombstones")
    assert (tombstone["conversation_id"], tombstone["cost"]) == (str(buried.conversation_id), "0.50000000")


def test_a_sealed_conversation_names_its_document_and_a_hidden_one_when_it_was_hidden() -> None:
    sealed = make_sealed()
    hide(sealed.conversation)
    head = rows(write(ask()))[0]
    assert (head["id"], head["sealed"]["sha256"]) == (str(sealed.pk), sealed.sha256)
    assert head["hidden_at"] is not None


def test_what_begins_after_it_was_asked_for_and_what_is_being_removed_is_left_out() -> None:
    owner = make_user()
    kept, going = branched(owner), branched(owner)
    export = ask()
    late = make_conversation(owner)
    Conversation.objects.filter(pk=late.pk).update(created_at=timezone.now())
    Conversation.objects.filter(pk=going.pk).update(removal_begun_at=timezone.now())
    heads = {row["id"] for row in rows(write(export)) if row["type"] == "conversation"}
    assert heads == {str(kept.pk)}


def test_a_conversation_without_a_word_is_in_it_too() -> None:
    owner = make_user()
    silent = [make_conversation(owner) for _ in range(3)]
    say(silent[1], "A word")
    export = write(ask())
    assert [row["type"] for row in rows(export)] == ["conversation", "conversation", "message", "conversation"]
    assert (export.done, export.total) == (3, 3)


def test_nothing_at_all_is_an_export_too() -> None:
    export = write(ask())
    assert (export.state, manifest(export)["parts"], manifest(export)["conversations"]) == ("done", [], 0)


def test_each_filter_takes_what_it_says() -> None:
    one, two = make_user(), make_user()
    group = Group.objects.create(name="Legal")
    two.groups.add(group, Group.objects.create(name="Others"))
    old, new, other = make_conversation(one), make_conversation(one), make_conversation(two, assistant=make_assistant())
    Conversation.objects.filter(pk=old.pk).update(created_at=days_ago(40), last_activity_at=days_ago(30))
    Conversation.objects.filter(pk__in=[new.pk, other.pk]).update(created_at=days_ago(9), last_activity_at=days_ago(5))
    Conversation.objects.filter(pk=new.pk).update(state="concluded", concluded_at=timezone.now(), concluded_by="owner")
    now = timezone.now()
    Review.objects.create(
        conversation=old, state="done", claimed_by=two, claimed_at=now, decided_at=now, verdict="violation"
    )
    day = timezone.localdate(days_ago(9))
    assert chosen(owner=two.pk) == {str(other.pk)}
    assert chosen(group=group.pk) == {str(other.pk)}
    assert chosen(assistant=other.assistant_id) == {str(other.pk)}
    assert chosen(state="concluded") == {str(new.pk)}
    assert chosen(verdict="violation") == chosen(verdict="any") == {str(old.pk)}
    assert chosen(verdict="fine") == set()
    assert chosen(first_day=day) == {str(new.pk), str(other.pk)}
    assert chosen(last_day=day) == {str(pk) for pk in (old.pk, new.pk, other.pk)}
    assert chosen(last_day=day - datetime.timedelta(days=1)) == {str(old.pk)}
    assert chosen(first_day=day, owner=one.pk) == {str(new.pk)}


def test_the_same_asked_for_twice_is_one_export_and_a_fourth_at_once_is_refused() -> None:
    person = make_exporter()
    first = ask(person)
    assert ask(person) == first
    ask(person, owner=1)
    ask(person, owner=2)
    with pytest.raises(Refused, match="3 exports of yours are under way already"):
        ask(person, owner=3)
    assert BulkExport.objects.count() == AuditEvent.objects.filter(kind="export.asked").count() == 3
    write(first)
    assert ask(person) != first


@pytest.mark.parametrize("loses", ["right", "active", "staff"])
def test_nothing_is_written_for_somebody_who_may_not_export_any_more(loses: str) -> None:
    branched(make_user())
    export = ask()
    person = export.requested_by
    if loses == "right":
        person.user_permissions.clear()
    else:
        setattr(person, {"active": "is_active", "staff": "is_staff"}[loses], False)
        person.save()
    with pytest.raises(AssertionError):
        claim(export)
    export.refresh_from_db()
    assert (export.state, export.problem) == ("failed", "Whoever asked for it may not export any more.")


def test_x14_hostile_text_stays_data() -> None:
    owner = make_user(first_name="</script>\u2028", last_name="\u202e")
    text = 'line\u2028two\u0085</script>\r\n{"type": "conversation"}\n=cmd()'
    conversation = make_conversation(owner, title="../../etc/passwd\u2028")
    prompt = say(conversation, text)
    make_file(owner, message=prompt, name="../..\u202e/evil.exe\u2028.png")
    make_file(owner, message=prompt, name="x.<script>")
    export = write(ask())
    head, message = rows(export)
    assert (head["title"], message["content"]) == (conversation.title, text)
    for name, data in parts(export).items():
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-./")
        assert ".." not in name
        if name.endswith(".jsonl"):
            assert len(data.decode().splitlines()) == data.count(b"\n")
    json.loads(parts(export)["manifest.json"])

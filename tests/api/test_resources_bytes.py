"""Bytes over the API: whole and in part, to their owner alone, under the guards of the pages."""

from __future__ import annotations

import hashlib

import pytest

from audit.models import AuditEvent
from conversations.services import conclude_conversation, seal_conversation
from tests.api.caller import Caller
from tests.api.said import Said
from tests.factories import make_file
from tests.fakes.folder import FilesFolder

pytestmark = pytest.mark.django_db(transaction=True)  # what waits gives its database connection back

LARGE = bytes(range(256)) * 3000  # three chunks
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def content(said: Said) -> str:
    file = make_file(said.owner, message=said.prompt, data=LARGE, name="=1+1\r\n.csv", content_type="text/csv")
    return f"attachments/{file.pk}/content/"


def test_a_file_is_handed_out_whole_in_part_and_without_its_bytes(said: Said, anna: Caller) -> None:
    address = content(said)
    whole = anna.bytes_of(address)
    assert (whole.status_code, whole.body) == (200, LARGE)
    assert {name: whole[name] for name in GUARDS} == GUARDS
    assert whole["Content-Disposition"].startswith("attachment")
    assert "\n" not in whole["Content-Disposition"]
    assert whole["Content-Length"] == str(len(LARGE))
    part = anna.bytes_of(address, Range="bytes=5-9")
    assert (part.status_code, part.body) == (206, LARGE[5:10])
    assert part["Content-Range"] == f"bytes 5-9/{len(LARGE)}"
    assert anna.bytes_of(address, Range=f"bytes={len(LARGE)}-").status_code == 416
    again = anna.bytes_of(address, If_None_Match=whole["ETag"])
    assert (again.status_code, again.body, again["ETag"]) == (304, b"", whole["ETag"])
    assert anna.bytes_of(address, If_None_Match='"another"').status_code == 200
    head = anna.bytes_of(address, "head")
    assert (head.status_code, head.body, head["Content-Length"]) == (200, b"", str(len(LARGE)))


def test_a_sealed_document_is_handed_out_byte_for_byte(said: Said, anna: Caller) -> None:
    address = f"{said.address}document/"
    assert anna.bytes_of(address).status_code == 404
    conclude_conversation(conversation=said.conversation)
    assert seal_conversation(conversation_id=said.conversation.pk)
    whole = anna.bytes_of(address)
    assert (whole.status_code, whole["Content-Type"]) == (200, "application/json")
    assert hashlib.sha256(whole.body).hexdigest() == anna.read(said.address)["document"]["sha256"]
    assert anna.bytes_of(address, Range="bytes=0-9").body == whole.body[:10]


def test_a3_what_is_somebody_elses_is_as_if_it_never_was(said: Said, boris: Caller) -> None:
    conclude_conversation(conversation=said.conversation)
    seal_conversation(conversation_id=said.conversation.pk)
    address, never = content(said), "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00"
    for theirs, missing in (
        (address, f"attachments/{never}/content/"),
        (f"{said.address}document/", f"conversations/{never}/document/"),
    ):
        for method, headers in (("get", {}), ("head", {}), ("get", {"Range": "bytes=0-1"})):
            answers = [boris.bytes_of(path, method, **headers) for path in (theirs, missing)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].body == answers[1].body
        assert boris.bytes_of(f"{theirs}?everyone=true").status_code == 403


def test_storage_that_is_away_is_told_and_what_it_lost_is_not_there(
    said: Said, anna: Caller, folder: FilesFolder
) -> None:
    address = content(said)
    folder.take_away()
    away = anna.bytes_of(address)
    assert (away.status_code, away["Retry-After"]) == (503, "10")
    assert away["Content-Type"] == "application/problem+json"
    assert b"storage_away" in away.body
    folder.give_back()
    assert anna.bytes_of(address).body == LARGE
    lost = make_file(said.owner, message=said.prompt)
    (folder.path / lost.key).unlink()
    assert anna.bytes_of(f"attachments/{lost.pk}/content/").status_code == 404


def test_a_file_that_could_not_be_kept_has_no_bytes(said: Said, anna: Caller) -> None:
    failed = make_file(said.owner, message=said.answer, data=None)
    assert anna.bytes_of(f"attachments/{failed.pk}/content/").status_code == 404


def test_a_reviewer_who_asks_for_everyone_s_gets_them_and_is_written_down(said: Said, reviewer: Caller) -> None:
    address = content(said)
    assert reviewer.bytes_of(address).status_code == 404
    assert reviewer.bytes_of(f"{address}?everyone=true").body == LARGE
    told = AuditEvent.objects.get(kind="file.read")
    assert (told.actor_id, told.subject_id) == (reviewer.user.pk, said.owner.pk)
    assert told.details == {"token": str(reviewer.token.pk), "conversation": str(said.conversation.pk)}

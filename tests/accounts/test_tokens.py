"""Tokens: what is kept of them, whom they let in, and when they end."""

import datetime
import hashlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.access import OWN, SESSION, Scope, may_read_all
from accounts.authentication import SessionAuthentication, TokenAuthentication
from accounts.models import Token, User
from accounts.tokens import MOST_TOKENS, make_token, revoke_all_tokens, revoke_token, still_holds
from audit.models import AuditEvent
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def _token(owner: User | None = None, **fields: Any) -> tuple[Token, str]:
    fields = {"name": "Reports", "scopes": [Scope.READ]} | fields
    return make_token(owner=owner or make_user(), **fields)


def _request(path: str = "/api/v1/me/", **meta: Any) -> Request:
    return Request(RequestFactory().get(path, **meta))


def _bearer(secret: str) -> Request:
    return _request(HTTP_AUTHORIZATION=f"Bearer {secret}")


def test_secret_is_kept_nowhere_but_as_its_hash() -> None:
    token, secret = _token()
    assert len(secret) == 47
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    kept = repr(Token.objects.values()) + repr(AuditEvent.objects.values())
    assert secret not in kept
    assert secret[:8] == token.prefix


def test_bearer_lets_its_owner_in_with_its_scopes() -> None:
    token, secret = _token(scopes=[Scope.WRITE, "read"])
    found = TokenAuthentication().authenticate(_bearer(secret))
    assert found is not None
    user, access = found
    assert (user, access.kind, access.token_id) == (token.owner, "token", token.pk)
    assert access.scopes == {Scope.READ, Scope.WRITE}
    assert token.scopes == ["read", "write"]


def test_a8_what_is_revoked_expired_or_without_its_owner_lets_nobody_in() -> None:
    (revoked, first), (expired, second), (orphan, third) = _token(), _token(), _token()
    revoke_token(token=revoked, by=None)
    past = timezone.now() - datetime.timedelta(seconds=1)
    Token.objects.filter(pk=expired.pk).update(created_at=past - datetime.timedelta(days=1), expires_at=past)
    User.objects.filter(pk=orphan.owner_id).update(is_active=False)
    for secret, reason in ((first, "revoked"), (second, "expired"), (third, "deactivated")):
        with pytest.raises(AuthenticationFailed, match=reason):
            TokenAuthentication().authenticate(_bearer(secret))
    assert not Token.objects.usable().exists()


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + "A", lambda s: s.swapcase(), lambda s: "vbt_",
    lambda s: s + " " + s, lambda s: s + ", Bearer " + s, lambda s: "vbt_" + "é" * 43, lambda s: s + "\x00"],
    ids=["short", "long", "case", "empty", "twice", "two-headers", "not-ascii", "nul"])  # fmt: skip
def test_a8_what_is_no_token_is_refused(change: Any) -> None:
    _, secret = _token()
    wrong = change(secret)
    if not wrong.startswith("vbt_"):
        assert TokenAuthentication().authenticate(_bearer(wrong)) is None
        return
    with pytest.raises(AuthenticationFailed, match="no such token"):
        TokenAuthentication().authenticate(_bearer(wrong))


def test_a8_no_other_channel_lets_a_token_in() -> None:
    _, secret = _token()
    for name in ("HTTP_X_API_KEY", "HTTP_API_KEY", "HTTP_X_AUTHORIZATION", "HTTP_COOKIE"):
        assert TokenAuthentication().authenticate(_request(**{name: secret})) is None
        assert TokenAuthentication().authenticate(_request(**{name: f"Bearer {secret}"})) is None
    assert TokenAuthentication().authenticate(_request(HTTP_AUTHORIZATION=secret)) is None
    assert TokenAuthentication().authenticate(_request(HTTP_AUTHORIZATION=f"Basic {secret}")) is None


@pytest.mark.parametrize("name", ["token", "access_token", "anything"])
def test_a8_token_in_the_address_is_refused_even_beside_a_good_one(name: str) -> None:
    _, secret = _token()
    request = _request(f"/api/v1/me/?{name}={secret}", HTTP_AUTHORIZATION=f"Bearer {secret}")
    with pytest.raises(AuthenticationFailed, match="logs"):
        TokenAuthentication().authenticate(request)


def test_use_is_noted_to_the_minute_with_one_write(django_assert_num_queries: Any) -> None:
    token, secret = _token()
    with django_assert_num_queries(2):
        TokenAuthentication().authenticate(_bearer(secret))
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert (token.last_used_at.second, token.last_used_at.microsecond) == (0, 0)
    ahead = timezone.now().replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
    Token.objects.update(last_used_at=ahead)
    with django_assert_num_queries(1):
        TokenAuthentication().authenticate(_bearer(secret))
    token.refresh_from_db()
    assert token.last_used_at == ahead


def test_making_and_revoking_are_told_to_the_audit_once() -> None:
    person, clerk = make_user(), make_user()
    token, _ = _token(person, scopes=list(Scope), created_by=clerk)
    assert revoke_token(token=token, by=person)
    assert not revoke_token(token=token, by=clerk)
    made, revoked = AuditEvent.objects.filter(object_type="token").order_by("seq")
    assert (made.kind, made.actor_id, made.subject_id, made.object_id) == (
        "token.made",
        clerk.pk,
        person.pk,
        str(token.pk),
    )
    assert made.details == {"kind": "personal", "scopes": [scope.value for scope in Scope], "expires_at": None}
    assert (revoked.kind, revoked.actor_id, revoked.object_id) == ("token.revoked", person.pk, str(token.pk))


@pytest.mark.parametrize(("field", "fields"), [
    ("name", {"name": " \t\n"}), ("name", {"name": "a\x00b"}), ("name", {"name": "\ud800"}),
    ("name", {"name": "x" * 101}),
    ("scopes", {"scopes": []}), ("scopes", {"scopes": ["read", "admin"]}), ("scopes", {"scopes": ["READ"]}),
    ("expires_at", {"expires_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}),
], ids=["blank", "nul", "surrogate", "long", "none", "unknown", "capitals", "past"])  # fmt: skip
def test_what_makes_no_token_is_named(field: str, fields: dict[str, Any]) -> None:
    person = make_user()
    with pytest.raises(ValidationError) as refused:
        _token(person, **fields)
    assert list(refused.value.message_dict) == [field]
    assert not Token.objects.exists()
    assert not AuditEvent.objects.filter(kind="token.made").exists()


def test_nobody_deactivated_gets_a_token() -> None:
    with pytest.raises(ValidationError, match="deactivated"):
        _token(make_user(is_active=False))


def test_one_person_has_a_bounded_number_of_tokens_that_work() -> None:
    person = make_user()
    made = [_token(person)[0] for _ in range(MOST_TOKENS)]
    with pytest.raises(ValidationError, match="already"):
        _token(person)
    revoke_token(token=made[0], by=person)
    _token(person)


def test_unknown_scopes_are_refused_by_the_database_too() -> None:
    token, _ = _token()
    for scopes in ([], ["admin"]):
        with pytest.raises(IntegrityError), transaction.atomic():
            Token.objects.filter(pk=token.pk).update(scopes=scopes)


def test_tokens_go_with_their_owner_and_can_be_ended_together() -> None:
    person, other = make_user(), make_user()
    _token(person), _token(person), _token(other)
    assert revoke_all_tokens(owner=person, by=other) == 2
    assert revoke_all_tokens(owner=person, by=other) == 0
    person.delete()
    assert Token.objects.count() == Token.objects.usable().count() == 1


def test_read_all_takes_scope_and_right() -> None:
    from django.contrib.auth.models import Permission

    person = make_user()
    secret, narrow = _token(person, scopes=["read", "read_all"])[1], _token(person)[1]

    def asked(secret: str) -> bool:
        found = TokenAuthentication().authenticate(_bearer(secret))
        assert found is not None
        return may_read_all(*found)

    assert not asked(secret)
    right = Permission.objects.get(codename="review_conversation", content_type__app_label="conversations")
    person.user_permissions.add(right)
    assert asked(secret)
    assert not asked(narrow)
    person.user_permissions.clear()
    assert not asked(secret)


def test_a9_what_was_let_in_holds_no_longer_once_it_was_ended() -> None:
    token, secret = _token()
    found = TokenAuthentication().authenticate(_bearer(secret))
    assert found is not None
    user, access = found
    assert still_holds(user_id=user.pk, access=access)
    assert not still_holds(user_id=make_user().pk, access=access)
    assert still_holds(user_id=user.pk, access=SESSION)
    revoke_token(token=token, by=None)
    assert not still_holds(user_id=user.pk, access=access)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not still_holds(user_id=user.pk, access=SESSION)


def test_r3_session_reads_freely_and_writes_with_the_csrf_token_alone() -> None:
    person = make_user()
    reading, writing = RequestFactory().get("/api/v1/me/"), RequestFactory().post("/api/v1/conversations/")
    reading.user = writing.user = person
    assert SessionAuthentication().authenticate(Request(reading)) == (person, SESSION)
    assert SESSION.scopes == OWN == {Scope.READ, Scope.WRITE, Scope.EVENTS}
    writing._dont_enforce_csrf_checks = False  # type: ignore[attr-defined]
    with pytest.raises(PermissionDenied, match="CSRF"):
        SessionAuthentication().authenticate(Request(writing))

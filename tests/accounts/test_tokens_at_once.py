"""Somebody is deactivated at the moment at which they end a token of theirs."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts.models import Token
from accounts.tokens import make_token, revoke_all_tokens, revoke_token
from audit.models import AuditEvent
from tests.factories import make_user
from tests.system.site import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def test_deactivating_somebody_and_revoking_their_token_do_not_wait_for_each_other() -> None:
    person, clerk = make_user(), make_user()
    token, _ = make_token(owner=person, name="Reports", scopes=["read"])

    def revoke() -> bool:
        try:
            return revoke_token(token=token, by=person)
        finally:
            connection.close()

    def one_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            return bool(cursor.fetchone() != (0,))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            person.is_active = False
            person.save()  # the audit is told, and its lock kept
            revoked = pool.submit(revoke)
            wait_for(one_waits, what="who revokes the token")
            assert revoke_all_tokens(owner=person, by=clerk) == 1
        assert not revoked.result()
    assert not Token.objects.usable().exists()
    assert AuditEvent.objects.get(kind="token.revoked").actor_id == clerk.pk

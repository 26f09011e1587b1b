"""The audit of a site as it runs: its own role changes nothing in it, and requests at once keep its chain whole."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.system.client import Client
from tests.system.site import ROOT, Site, wait_for

PASSWORD = "a long pass phrase"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET reason = 'None'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_auditevent CASCADE",
    ],
)
def test_v2_the_role_of_the_application_changes_nothing_in_the_audit(site: Site, statement: str) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        count = connection.execute("SELECT count(*) FROM audit_auditevent").fetchone()
        assert count is not None
        assert count[0] > 0
        (role,) = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchall()
        assert role == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"):
            connection.execute(statement)
        assert connection.execute("SELECT count(*) >= %s FROM audit_auditevent", count).fetchone() == (True,)


def _sign_in(site: Site) -> int:
    """Sign in with the form, as one who comes for the first time."""
    form = {"login": "admin", "password": PASSWORD}
    return Client(site, "", site.port).request("POST", "/accounts/login/", form)[0]


def test_many_who_sign_in_and_out_at_once_are_all_in_the_audit(site: Site) -> None:
    counted = "SELECT count(*) FROM audit_auditevent WHERE kind = %s"
    before = [site.sql(counted, kind)[0][0] for kind in ("account.signed_in", "account.signed_out")]
    people = [site.sign_in(f"leaver-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        signed_in = [pool.submit(_sign_in, site) for _ in range(2)]
        signed_out = [pool.submit(person.request, "POST", "/accounts/logout/", {}) for person in people]
        assert [done.result() for done in signed_in] == [302] * 2
        assert [done.result()[0] for done in signed_out] == [302] * 8
    wait_for(
        lambda: (
            [site.sql(counted, kind)[0][0] for kind in ("account.signed_in", "account.signed_out")]
            == [before[0] + 2, before[1] + 8]
        ),
        what="every event",
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_record", "--audit"],
        cwd=ROOT, env=site.environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all are as they were" in done.stdout


def test_who_changed_rights_over_the_web_is_known(site: Site) -> None:
    admin = site.sign_in("admin")
    ((pk,),) = site.sql("SELECT id FROM accounts_user WHERE username = 'admin'")
    ((right,),) = site.sql("SELECT id FROM auth_permission WHERE codename = 'review_conversation'")
    status, _, _ = admin.request("POST", "/admin/auth/group/add/", {"name": "Readers", "permissions": str(right)})
    assert status == 302
    told = site.sql(
        "SELECT kind, actor_id, details FROM audit_auditevent WHERE object_type = 'group' ORDER BY seq DESC LIMIT 2"
    )
    assert told == [
        ("rights.changed", pk, {"permissions_added": ["conversations.review_conversation"]}),
        ("group.added", pk, {}),
    ]

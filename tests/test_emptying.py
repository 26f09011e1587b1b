"""After a test that commits the database is as if no test had been."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.admin.record import make_thread
from tests.emptying import Emptying
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
_OF_DJANGO = {"django_content_type", "auth_permission"}


def test_no_table_keeps_a_row_not_even_those_that_triggers_fill_or_guard() -> None:
    make_thread()
    assert _count_rows().keys() >= {"accounts_user", "conversations_message", "records_staleconversation"}
    assert "audit_auditevent" in _count_rows()

    Emptying().empty()

    assert _count_rows() == {}


def test_what_django_makes_is_made_again_when_a_test_has_changed_it() -> None:
    emptying = Emptying()
    Permission.objects.filter(codename="review_conversation").delete()
    ContentType.objects.create(app_label="tests", model="leftover")
    make_user()

    emptying.empty()

    assert Permission.objects.filter(codename="review_conversation").exists()
    assert not ContentType.objects.filter(model="leftover").exists()
    assert _count_rows() == {}


def _count_rows() -> dict[str, int]:
    """The number of rows of each table of a model that has any, but for those of Django's own making."""
    counts = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")
            counts[name] = cursor.fetchone()[0]
    return {name: count for name, count in counts.items() if count and name not in _OF_DJANGO}

"""Names that people give stay text on the page of use, whatever is in them."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_assistant, make_model, make_user
from tests.reporting.test_usage_page import PAGE, reckon, use

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_hostile_names_are_inert_on_the_page_of_use(client: Client, analyst: User, text: str) -> None:
    client.force_login(analyst)
    User.objects.filter(pk=analyst.pk).update(first_name=text)
    person = make_user(username=text, first_name=text[:150])
    person.groups.add(Group.objects.create(name=text))
    use(owner=person, assistant=make_assistant(name=text), model=make_model(text[:100], label=text[:100]))
    reckon()
    for by in ("day", "group", "assistant", "model", "person"):
        response = client.get(PAGE, {"by": by, "person": text})
        html = response.content.decode()
        assert response.status_code == 200
        assert _active_content(html) == []
        assert "script-src 'self'" in response["Content-Security-Policy"]
    assert _active_content(client.get(PAGE, {"person": f"{text}?"}).content.decode()) == []

"""Models, prices and assistants: changed by administrators, but not to nonsense and not under the record."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Assistant, Generation, LanguageModel, ModelPrice
from tests.admin.record import make_thread
from tests.factories import make_assistant, make_model


def _save_assistant(client: Client, assistant: Assistant, **changed: str) -> HttpResponse:
    data = {"name": assistant.name, "position": "0", "is_enabled": "on", "parameters": "{}", "suggested_prompts": "[]"}
    url = reverse("admin:conversations_assistant_change", args=[assistant.pk])
    return client.post(url, data | changed)  # type: ignore[return-value]


def _save_model(client: Client, model: LanguageModel, **changed: Any) -> HttpResponse:
    data = {"name": model.name, "label": model.label, "context_window": "128000", "max_output_tokens": "16384"}
    data |= {"is_enabled": "on", "prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}
    url = reverse("admin:conversations_languagemodel_change", args=[model.pk])
    return client.post(url, data | changed)  # type: ignore[return-value]


def _price(price: ModelPrice | None, index: int, **changed: str) -> dict[str, str]:
    data = {"valid_from": "2024-10-01", "input_price": "2.5", "cached_input_price": "1.25", "output_price": "10"}
    if price is not None:
        data |= {"id": str(price.pk), "model": str(price.model_id)}
    return {f"prices-{index}-{name}": value for name, value in (data | changed).items()}


@pytest.mark.parametrize(
    "parameters", ["{}", '{"temperature": 0.7, "top_p": 1, "max_output_tokens": 500}', '{"service_tier": "flex"}']
)
def test_known_parameters_are_saved(client: Client, superuser: User, parameters: str) -> None:
    client.force_login(superuser)
    assert _save_assistant(client, make_assistant(), parameters=parameters).status_code == 302


@pytest.mark.parametrize(
    "parameters",
    ["[]", '"text"', "7", "nonsense", '{"temperature": NaN}', '{"temperature": Infinity}', '{"temperature": 2.1}',
     '{"temperature": true}', '{"temperature": "1"}', '{"temperature": {"a": 1}}', '{"max_output_tokens": 1.5}',
     '{"max_output_tokens": 0}', '{"tools": []}', '{"model": "gpt-9"}', '{"store": true}', '{"service_tier": []}',
     '{"\\u0000": 1}', '{"\\ud800": 1}', '{"temperature": "\\ud800"}', "[" * 5000],
)  # fmt: skip
def test_other_parameters_are_refused(client: Client, superuser: User, parameters: str) -> None:
    client.force_login(superuser)
    assistant = make_assistant()
    response = _save_assistant(client, assistant, parameters=parameters)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["parameters"]  # type: ignore[attr-defined]
    assistant.refresh_from_db()
    assert assistant.parameters == {}


def test_suggested_prompts_are_saved(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    assistant = make_assistant()
    assert _save_assistant(client, assistant, suggested_prompts='["What is new?", "Größe 例"]').status_code == 302
    assistant.refresh_from_db()
    assert assistant.suggested_prompts == ["What is new?", "Größe 例"]


@pytest.mark.parametrize(
    "prompts",
    ["{}", '"one"', "[1]", '[" "]', '["a\\u0000b"]', '["\\ud800"]', '["two\\nlines"]', f'["{"x" * 301}"]',
     '["1","2","3","4","5","6","7","8","9"]', "[null]", "[[]]"],
)  # fmt: skip
def test_other_suggested_prompts_are_refused(client: Client, superuser: User, prompts: str) -> None:
    client.force_login(superuser)
    response = _save_assistant(client, make_assistant(), suggested_prompts=prompts)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["suggested_prompts"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["assistant", "languagemodel"])
def test_what_the_record_needs_cannot_be_deleted_and_a_sentence_says_so(
    client: Client, superuser: User, name: str
) -> None:
    conversation = make_thread()
    client.force_login(superuser)
    pk = conversation.assistant.pk if name == "assistant" else LanguageModel.objects.get().pk
    for method in (client.get, client.post):
        response = method(reverse(f"admin:conversations_{name}_delete", args=[pk]), {"post": "yes"})
        assert response.status_code == 302
        *_, message = get_messages(response.wsgi_request)
        assert "is part of the record, so it cannot be deleted. Disable it instead." in str(message)
    assert Assistant.objects.exists()
    assert LanguageModel.objects.exists()


def test_person_with_conversations_cannot_be_deleted(client: Client, superuser: User) -> None:
    owner = make_thread().owner
    client.force_login(superuser)
    response = client.post(reverse("admin:accounts_user_delete", args=[owner.pk]), {"post": "yes"}, follow=True)
    assert "the account cannot be deleted" in response.content.decode()
    assert User.objects.filter(pk=owner.pk).exists()


def test_unused_assistant_can_be_deleted(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    url = reverse("admin:conversations_assistant_delete", args=[make_assistant().pk])
    assert client.get(url).status_code == 200
    client.post(url, {"post": "yes"})
    assert not Assistant.objects.exists()


def test_price_is_added_and_corrected_until_it_was_used(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    model = make_model()
    price = model.prices.get()
    counts = {"prices-TOTAL_FORMS": "2", "prices-INITIAL_FORMS": "1"}
    added = _price(None, 1, valid_from="2026-01-01", model=str(model.pk))
    assert _save_model(client, model, **counts, **_price(price, 0, input_price="3"), **added).status_code == 302
    price.refresh_from_db()
    assert (str(price.input_price), model.prices.count()) == ("3.000000", 2)
    make_thread()
    Generation.objects.update(price=price)
    counts = {"prices-TOTAL_FORMS": "1", "prices-INITIAL_FORMS": "1"}
    response = _save_model(client, model, **counts, **_price(price, 0, input_price="0.01"))
    assert "Costs were reckoned with this price, so it stays." in response.content.decode()
    price.refresh_from_db()
    assert price.input_price == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_output_tokens", "128000"), ("max_output_tokens", "0"), ("context_window", "-1"), ("replacement", "itself")],
)
def test_models_that_make_no_sense_are_refused(client: Client, superuser: User, field: str, value: str) -> None:
    client.force_login(superuser)
    model = make_model()
    response = _save_model(client, model, **{field: str(model.pk) if value == "itself" else value})
    assert response.status_code == 200
    assert response.context["errors"]  # type: ignore[attr-defined]


def test_negative_price_is_refused(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    model = make_model()
    counts = {"prices-TOTAL_FORMS": "1", "prices-INITIAL_FORMS": "1"}
    response = _save_model(client, model, **counts, **_price(model.prices.get(), 0, output_price="-1"))
    assert response.status_code == 200
    assert "greater than or equal to 0" in response.content.decode()

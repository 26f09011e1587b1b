"""`manage.py setup`: makes what is missing, once, and leaves alone what is there."""

import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from conversations.models import Assistant, LanguageModel, ModelPrice


def _setup() -> list[str]:
    output = io.StringIO()
    call_command("setup", stdout=output)
    return output.getvalue().splitlines()


def test_first_run_prints_a_sign_in_that_works_and_later_runs_print_nothing(db: None) -> None:
    name, password = _setup()
    assert name == "Sign in as: admin"
    user = User.objects.get()
    assert user.check_password(password.removeprefix("Password: "))
    assert (user.is_superuser, user.is_staff, user.email) == (True, True, "admin@localhost.invalid")
    assert _setup() == []


def test_variables_name_the_administrator_and_the_password_is_not_repeated(db: None, settings: Settings) -> None:
    settings.ADMIN_USERNAME, settings.ADMIN_EMAIL = "grace", "Grace@example.org"
    settings.ADMIN_PASSWORD = "a-fair-password-17"
    assert _setup() == ["Sign in as: grace", "Password: as set in ADMIN_PASSWORD"]
    user = User.objects.get()
    assert (user.username, user.email) == ("grace", "grace@example.org")
    assert user.check_password("a-fair-password-17")


def test_no_administrator_is_made_where_there_is_one(db: None, settings: Settings) -> None:
    User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")
    settings.ADMIN_PASSWORD = "weak"
    assert _setup() == []
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ADMIN_PASSWORD", "password"),
        ("ADMIN_PASSWORD", "short"),
        ("ADMIN_EMAIL", "nonsense"),
        ("ADMIN_USERNAME", "two words"),
        ("ADMIN_USERNAME", "TAKEN"),
        ("DEFAULT_MODEL", "m" * 101),
    ],
)
def test_nonsense_is_refused_with_a_sentence_that_names_the_variable(
    db: None, settings: Settings, variable: str, value: str
) -> None:
    User.objects.create_user("taken", "taken@example.org")
    setattr(settings, variable, value)
    with pytest.raises(CommandError, match=f"^{variable} cannot be used: .+"):
        _setup()
    assert not LanguageModel.objects.exists()
    assert not User.objects.filter(is_superuser=True).exists()


def test_models_prices_and_assistants_are_made(db: None) -> None:
    _setup()
    gpt, luna, local = LanguageModel.objects.order_by("name")
    assert (gpt.name, gpt.context_window, gpt.max_output_tokens, gpt.is_local) == ("gpt-4o", 128_000, 16_384, False)
    assert str(gpt.shutdown_date) == "2027-01-14"
    assert gpt.replacement == luna
    assert (luna.name, luna.is_offered, luna.prices.exists()) == ("gpt-6-luna", False, False)
    price = gpt.prices.get()
    assert (price.input_price, price.cached_input_price, price.output_price) == (
        Decimal("2.50"),
        Decimal("1.25"),
        Decimal("10.00"),
    )
    assert (local.name, local.is_local, local.prices.get().output_price.is_zero()) == (
        "smollm2-135m-instruct",
        True,
        True,
    )
    general, comics = Assistant.objects.all()
    assert (general.slug, general.position, comics.slug) == ("general", 0, "comic-books")
    assert 3 <= len(general.suggested_prompts) <= 4
    assert general.model is comics.model is None


def test_what_an_administrator_changed_or_deleted_stays_so(db: None) -> None:
    _setup()
    ModelPrice.objects.all().delete()
    LanguageModel.objects.exclude(name="gpt-4o").delete()
    LanguageModel.objects.update(label="Our model", is_enabled=False)
    Assistant.objects.filter(slug="comic-books").delete()
    Assistant.objects.update(instructions="Ours.")
    _setup()
    assert list(LanguageModel.objects.values_list("label", "is_enabled")) == [("Our model", False)]
    assert list(Assistant.objects.values_list("slug", "instructions")) == [("general", "Ours.")]
    assert not ModelPrice.objects.exists()


def test_unknown_default_model_gets_a_row_without_a_price(db: None, settings: Settings) -> None:
    _setup()
    settings.DEFAULT_MODEL = "gpt-9-experimental"
    _setup()
    model = LanguageModel.default()
    assert model is not None
    assert (model.name, model.context_window, model.prices.count()) == ("gpt-9-experimental", 128_000, 0)


def test_deleted_default_model_comes_back_with_what_is_known_of_it(db: None) -> None:
    _setup()
    ModelPrice.objects.all().delete()
    LanguageModel.objects.filter(name="gpt-4o").delete()
    _setup()
    model = LanguageModel.default()
    assert model is not None
    assert (model.label, model.prices.count()) == ("GPT-4o", 1)


@pytest.mark.django_db(transaction=True)
def test_several_machines_at_once_make_one_of_each() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cache")

    def run(_: int) -> list[str]:
        try:
            return _setup()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        outputs = list(threads.map(run, range(4)))
    assert sorted(len(lines) for lines in outputs) == [0, 0, 0, 2]
    assert User.objects.count() == 1
    assert (LanguageModel.objects.count(), Assistant.objects.count()) == (3, 2)
    assert "cache" in connection.introspection.table_names()

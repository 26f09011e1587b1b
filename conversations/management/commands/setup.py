"""`manage.py setup`: what an installation needs besides its tables."""

from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection, transaction

from accounts.services import SignIn, make_first_administrator
from audit.environment import note_environment
from conversations.services.catalogue import make_catalogue

_LOCK = 0x5665_7262_6174_696D  # "Verbatim"
_VARIABLES = {
    "username": "ADMIN_USERNAME",
    NON_FIELD_ERRORS: "ADMIN_USERNAME",  # differs from somebody's in letter case alone
    "email": "ADMIN_EMAIL",
    "password": "ADMIN_PASSWORD",
    "name": "DEFAULT_MODEL",
    "label": "DEFAULT_MODEL",
}


class Command(BaseCommand):
    help = (
        "Makes the cache table, the models and sample assistants, and the first administrator, where they are "
        "missing, and writes into the audit which variables of the environment have changed. May be run at "
        "every start, and by several machines at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sign_in = self._make_what_is_missing()
        except ValidationError as error:
            raise CommandError(_explain(error)) from error
        if sign_in is None:
            return
        # A password that was given is known to whoever gave it, and logs are no place for it.
        password = "as set in ADMIN_PASSWORD" if settings.ADMIN_PASSWORD else sign_in.password
        self.stdout.write(f"Sign in as: {sign_in.username}")
        self.stdout.write(f"Password: {password}")

    @transaction.atomic
    def _make_what_is_missing(self) -> SignIn | None:
        # Everything below looks first and writes then, so a second run waits here until the first one has committed.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _check_search_language()
        call_command("createcachetable", verbosity=0)
        make_catalogue(default_model=settings.DEFAULT_MODEL)
        sign_in = make_first_administrator(
            username=settings.ADMIN_USERNAME, email=settings.ADMIN_EMAIL, password=settings.ADMIN_PASSWORD
        )
        note_environment(fingerprints=settings.ENVIRONMENT)
        return sign_in


def _check_search_language() -> None:
    """Refuse a language that the database's search does not know: no message would ever be found."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cfgname FROM pg_ts_config WHERE pg_ts_config_is_visible(oid) ORDER BY cfgname")
        known = [row[0] for row in cursor.fetchall()]
    if settings.SEARCH_LANGUAGE not in known:
        raise CommandError(f"SEARCH_LANGUAGE is {settings.SEARCH_LANGUAGE!r}; it can be one of {', '.join(known)}.")


def _explain(error: ValidationError) -> str:
    """Return one sentence for each variable that cannot be used."""
    return "\n".join(
        f"{_VARIABLES.get(field, field)} cannot be used: {' '.join(messages)}"
        for field, messages in error.message_dict.items()
    )

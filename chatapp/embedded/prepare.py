"""Brings the database and the static files up to date, in one process because Django's start is most of the time.

python -m chatapp.embedded.prepare      prints what `manage.py setup` prints: the first administrator's sign-in, once
"""

import os
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from chatapp.embedded import static_files


def main() -> None:
    """Migrate, set up, collect static files; end with a sentence and status 1 where that fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    try:
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("setup")
        static_files.gather(settings.VAR_DIR / "static.stamp")
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except CommandError as error:
        sys.exit(f"Setting up failed: {error}")
    except DatabaseError as error:
        sys.exit(f"The database of DATABASE_URL could not be used: {error}")


if __name__ == "__main__":
    main()

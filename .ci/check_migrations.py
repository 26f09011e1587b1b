"""Fails where a model says something that no migration does. No database is asked, so none has to run."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

sys.path.insert(0, str(Path()))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
# makemigrations would compare the migrations with a database's history; it leaves that out for this backend.
settings.DATABASES["default"] = {"ENGINE": "django.db.backends.dummy"}
django.setup()
call_command("makemigrations", check_changes=True, dry_run=True, skip_checks=True)

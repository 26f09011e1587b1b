"""`manage.py check_models`: does the provider still serve the models that are used here, and until when?"""

from typing import Any

from asgiref.sync import async_to_sync
from django.core.management import BaseCommand, CommandError

from conversations.availability import HINTS, find_concerns
from conversations.live.checking import ask_once
from conversations.llm import ModelError
from conversations.services import note_listing


class Command(BaseCommand):
    help = (
        "Asks the provider for its list of models and notes for each of ours whether it is in it, when it last was, "
        "and the day of its end. Prints a line for each model, then what should be seen to. Ends with 1 when the "
        "provider cannot be asked; nothing is changed then. A nightly job does the same."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            listed = async_to_sync(ask_once)()
        except ModelError as error:
            hint = HINTS.get(error.code, error.message)
            raise CommandError(f"The models could not be checked. {hint} ({error.detail})") from error
        for model in note_listing(listed=listed):
            told = "listed" if model.is_listed else "not listed"
            until = f", until {model.shutdown_date}" if model.shutdown_date else ""
            self.stdout.write(f"{model.name}: {told}{until}")
        for concern in find_concerns():
            self.stdout.write(f"Warning: {concern.text}")

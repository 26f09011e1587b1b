"""`manage.py create_token`: make a token for a program, and print its secret once."""

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from accounts.access import REVIEW, Scope
from accounts.models import Token, User
from accounts.tokens import make_token

LONGEST_DAYS = 3_650


class Command(BaseCommand):
    """The secret alone goes to standard output, so that a script can keep it; the rest goes to standard error."""

    help = "Make a token that acts for a person, and print its secret, which is shown this once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare whose token it is, and what it may do for how long."""
        parser.add_argument("username", help="for whom it acts; their rights are its limit")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--scopes",
            default="read,write",
            help=f"what it may do, comma-separated: {', '.join(Scope)} (default: read,write)",
        )
        parser.add_argument("--service", action="store_true", help="it is a system's, not its owner's own")
        ending = parser.add_mutually_exclusive_group()
        ending.add_argument("--days", type=int, default=90, help="for how many days it holds (default: 90)")
        ending.add_argument("--endless", action="store_true", help="it holds until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it. Raises CommandError with a sentence for what cannot be used."""
        owner = User.objects.filter(username__iexact=options["username"]).first()
        if owner is None:
            raise CommandError(f"There is nobody with the username “{options['username']}”.")
        if not 1 <= options["days"] <= LONGEST_DAYS:
            raise CommandError(f"--days can be a whole number from 1 to {LONGEST_DAYS}.")
        until = None if options["endless"] else timezone.now() + datetime.timedelta(days=options["days"])
        try:
            token, secret = make_token(
                owner=owner,
                name=options["name"],
                scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
                kind=Token.Kind.SERVICE if options["service"] else Token.Kind.PERSONAL,
                expires_at=until,
            )
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        ends = f"holds until {until:%Y-%m-%d}" if until else "holds until it is revoked"
        self.stderr.write(f"Token “{token.name}” of {owner.username}: may {', '.join(token.scopes)}; {ends}.")
        if Scope.READ_ALL in token.scopes and not owner.has_perm(REVIEW):
            self.stderr.write(f"{owner.username} may not review conversations, so read_all opens nothing as yet.")
        self.stdout.write(secret)

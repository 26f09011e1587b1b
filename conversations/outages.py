"""What code that talks to the database meets while the database is away."""

from django.db import InterfaceError, OperationalError

# A statement fails with the first; the next one on the connection that was lost, with the second.
AWAY = (OperationalError, InterfaceError)

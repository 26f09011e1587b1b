"""What code that talks to the database meets while the database is away."""

from django.db import InterfaceError, OperationalError
from procrastinate.exceptions import ConnectorException

# A statement fails with the first; the next one on the connection that was lost, with the second.
AWAY = (OperationalError, InterfaceError)
AWAY_WITH_JOBS = (*AWAY, ConnectorException)  # with what handing out a job raises

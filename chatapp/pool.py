"""Whether a connection of the pool can be used, mostly without asking the server."""

import select
import time
from weakref import WeakKeyDictionary

from psycopg import Connection
from psycopg_pool import ConnectionPool

TRUSTED_SECONDS = 10.0

_found_alive: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


def check(connection: Connection) -> None:
    """Raise OperationalError where a connection is lost; the `check` of a `ConnectionPool`.

    The pool's own asks the server each time, which costs a round trip before every request. A server that ends a
    connection, or that dies, says so by closing it, and then there is something to read. A network that was cut says
    nothing: so the server is asked where that is longer ago than TRUSTED_SECONDS.
    """
    now = time.monotonic()
    if now - _found_alive.get(connection, -TRUSTED_SECONDS) < TRUSTED_SECONDS and _is_silent(connection):
        return
    ConnectionPool.check_connection(connection)
    _found_alive[connection] = now


def _is_silent(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)

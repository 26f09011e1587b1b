"""Free ports on the loopback address."""

import random
import socket

# Below the range from which Linux (32768) and macOS (49152) hand out ports of outgoing connections: a port of ours that
# is closed for a moment, as at a restart, is not given to a stranger meanwhile.
_RANGE = range(20_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def find_free_port() -> int:
    """Give a port that nothing listens on now."""
    for port in random.sample(_RANGE, 200):
        if is_free(port):
            return port
    raise RuntimeError(f"No free port on 127.0.0.1 between {_RANGE.start} and {_RANGE.stop}.")

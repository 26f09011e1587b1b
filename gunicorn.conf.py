"""How the web processes are served. PORT and WEB_CONCURRENCY are the environment's; the rest is the same everywhere."""

import gc
from typing import TYPE_CHECKING

from chatapp import env

if TYPE_CHECKING:
    from conversations.live.lifetime import Worker

env.load_environment()

wsgi_app = "chatapp.asgi:application"
worker_class = "asgi"
asgi_lifespan = "off"  # Django's ASGI application has none
bind = f"{env.text('WEB_BIND', '127.0.0.1')}:{env.whole_number('PORT', 8000, minimum=1, maximum=65535)}"
workers = env.whole_number("WEB_CONCURRENCY", 2, minimum=1, maximum=256)
# Seconds that an idle connection stays. A proxy reuses connections, and the usual ones close theirs after 60 s: that
# side must be the first, or now and then it sends a request into a closing one. Without a proxy it is short, because a
# worker that is told to stop waits for idle connections too.
keepalive = 75 if env.whole_number("TRUSTED_PROXY_COUNT", 0, maximum=10) else 3
timeout = 60  # seconds without a heartbeat of the event loop
graceful_timeout = 20  # seconds; a stream ends itself as soon as its worker is no longer alive
control_socket_disable = True
accesslog = None  # addresses hold ids of conversations; the proxy in front logs what a company wants logged
errorlog = "-"
loglevel = "info"


def post_worker_init(worker: "Worker") -> None:
    """Hand the worker to the streams, which watch its `alive`: gunicorn waits for open responses when it stops.

    The views are loaded before the first request asks for one; none of it is looked at by the garbage collector again.
    """
    from django.urls import resolve

    from conversations.live import lifetime

    lifetime.set_worker(worker)
    resolve("/healthz")
    gc.collect()
    gc.freeze()

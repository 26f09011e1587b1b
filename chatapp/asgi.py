"""The ASGI application that gunicorn serves: a limit on bodies, then static files, then Django."""

import os

from chatapp.env import load_environment

load_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.signals import request_started  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from chatapp.body_limit import MEGABYTE, BodyLimit  # noqa: E402
from chatapp.handler import Handler  # noqa: E402

django.setup(set_prefix=False)
# They would cost each request a thread before it begins. Connections are given back where a request ends.
request_started.disconnect(close_old_connections)
request_started.disconnect(reset_queries)
django_application = Handler()
with_static_files = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",
    allow_all_origins=False,  # the default lets every site read them
    add_headers_function=lambda headers, path, url: headers.add_header("X-Content-Type-Options", "nosniff"),
)
application = BodyLimit(
    with_static_files,
    files_bytes=(settings.MAX_FILES_PER_MESSAGE * settings.MAX_FILE_MEGABYTES + 10) * MEGABYTE,
    # Files of prompts may have 20 MB; whether one has is told by what reads it.
    file_bytes=max(settings.MAX_FILE_MEGABYTES + 10, 30) * MEGABYTE,
    resource_bytes=settings.API_MAX_BODY_BYTES,
    other_bytes=2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE,  # just above it Django's own page says what is wrong
)

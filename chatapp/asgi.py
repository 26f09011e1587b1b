"""The ASGI application that gunicorn serves. Static files are answered before Django sees the request."""

import os

from chatapp.env import load_environment

load_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

django_application = get_asgi_application()
application = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",
    allow_all_origins=False,  # the default lets every site read them
    add_headers_function=lambda headers, path, url: headers.add_header("X-Content-Type-Options", "nosniff"),
)

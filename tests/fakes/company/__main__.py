"""`python -m tests.fakes.company`: make the provider's people and its client, serve, and end with standard input."""

import json
import os
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.company import PASSWORD


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _prepare() -> None:
    import django

    django.setup()
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name in ("ada", "grace", "edsger"):
        user = User.objects.create_user(name, f"{name}@company.example", PASSWORD, first_name=name.title())
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client = Client(id="verbatim", name="Verbatim", scopes="openid\nprofile\nemail", skip_consent=True)
    client.set_secret("the client's secret")
    client.save()


def main() -> None:
    folder = Path(os.environ["COMPANY_FOLDER"])
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.fakes.company.settings"
    _prepare()
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet)
    print(json.dumps({"port": server.server_port}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""moto's S3 behind a check of every signature, as a process of its own: `python -m tests.fakes.s3_server`.

moto itself checks signed headers and what a user's policy allows. It cannot check signed links, so that is done here.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import settings as moto_settings
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class SignedOnly:
    """Lets requests with a signature through; a signed link's is checked, then replaced by one that moto can check."""

    def __init__(self, app: Any, secrets: dict[str, str]) -> None:
        self._app, self._secrets = app, secrets

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        code = "" if environ.get("HTTP_AUTHORIZATION") else self._check_link(environ)
        if code:
            body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
            start_response("403 Forbidden", headers)
            return [body]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _check_link(self, environ: Environ) -> str:
        path, _, query = environ["REQUEST_URI"].partition("?")
        values = {name: value[0] for name, value in parse_qs(query, keep_blank_values=True).items()}
        try:
            key_id, _, region, *_ = values["X-Amz-Credential"].split("/")
            credentials = Credentials(key_id, self._secrets[key_id])
            ends_at = _time(values["X-Amz-Date"]) + timedelta(seconds=int(values["X-Amz-Expires"]))
        except (KeyError, ValueError):
            return "AccessDenied"
        signed = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
        request = self._request(environ, f"{path}?{signed}")
        request.context["timestamp"] = values["X-Amz-Date"]
        auth = S3SigV4QueryAuth(credentials, "s3", region)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if values.get("X-Amz-Signature") != expected:
            return "SignatureDoesNotMatch"
        if ends_at < datetime.now(UTC):
            return "AccessDenied"
        self._sign_by_header(environ, credentials, region, path, signed)
        return ""

    def _sign_by_header(self, environ: Environ, credentials: Credentials, region: str, path: str, query: str) -> None:
        rest = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-"))
        request = self._request(environ, f"{path}?{rest}")
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = request.headers[name]
        environ["QUERY_STRING"] = rest
        environ["REQUEST_URI"] = environ["RAW_URI"] = f"{path}?{rest}"

    @staticmethod
    def _request(environ: Environ, uri: str) -> AWSRequest:
        host = environ["HTTP_HOST"]
        return AWSRequest(method=environ["REQUEST_METHOD"], url=f"http://{host}{uri}", headers={"Host": host})


def _time(value: str) -> datetime:
    return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def make_user(name: str, policy: dict[str, Any]) -> tuple[str, str]:
    """Make a user who may do what the policy says; return the id and secret of its key."""
    backend = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_user("us-east-1", name)
    backend.put_user_policy(name, "policy", json.dumps(policy))
    key = backend.create_access_key(name)
    return key.access_key_id, key.secret_access_key


def main() -> None:
    """Serve until standard input ends.

    Its first line is the policy of the application's user; each further one asks for objects of one byte.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells every request
    policy = json.loads(sys.stdin.readline())
    root, app = make_user("root", EVERYTHING), make_user("app", policy)
    moto_settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    wsgi = SignedOnly(DomainDispatcherApplication(create_backend_app), dict([root, app]))
    server = make_server("127.0.0.1", 0, wsgi, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port, "root": root, "app": app}), flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        for key in wanted["keys"]:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(wanted["bucket"], key, b"x")
        print(flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()

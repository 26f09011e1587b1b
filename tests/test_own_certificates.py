"""A company whose systems prove themselves with certificates of its own authority."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured

from chatapp import env

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
NOW = datetime.datetime.now(datetime.UTC)
SYSTEMS = ("model", "bucket", "company sign-in", "webhook")
# Each way in which the application asks another system, and what came of it.
ASK = """
import asyncio, json, sys, uuid
import django
django.setup()
import httpx2
from accounts.company.issuer import fetch
from conversations.files import storage
from conversations.llm.transport import Transport
from webhooks.live.posting import Poster
from webhooks.services.sending import Parcel

url = sys.argv[1]

async def model():
    async with httpx2.AsyncClient(transport=Transport(max_connections=1, keep_alive_seconds=1)) as client:
        return (await client.get(url)).status_code == 200

async def webhook():
    async with Poster() as poster:
        parcel = Parcel(uuid.uuid4(), url, "msg_1", b"{}", ("whsec_" + "A" * 44,))
        outcome = await poster.post(parcel)
        return outcome.is_delivered or outcome.problem

told = {}
for name, ask in {
    "model": lambda: asyncio.run(model()),
    "bucket": lambda: storage.size_of("files/2026/01/" + "a" * 32) == 12,
    "company sign-in": lambda: fetch(url) == {"keys": []},
    "webhook": lambda: asyncio.run(webhook()),
}.items():
    try:
        told[name] = ask()
    except Exception as error:
        told[name] = f"{type(error).__name__}: {error}"
print(json.dumps(told))
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "12")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b'{"keys": []}')

    do_HEAD = do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the certificate of an authority, beside one with the key and the certificate of a server of it."""
    folder = tmp_path_factory.mktemp("certificates")
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    usage = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    authority = (
        begun("Authority", "Authority", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False),
            critical=True,
        )
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        begun("Server", "Authority", key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + server.public_bytes(serialization.Encoding.PEM)
    )
    return folder / "authority.pem"


@pytest.fixture(scope="module")
def url(authority: Path) -> Iterator[str]:
    """Where something answers over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.with_name("server.pem"))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask_all(url: str, **variables: str) -> dict[str, bool | str]:
    """Have a process with these variables ask every system; return what came of it."""
    given = {name: value for name, value in os.environ.items() if name not in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    given |= {
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "AWS_STORAGE_BUCKET_NAME": "record",
        "AWS_S3_ENDPOINT_URL": url,
        "AWS_S3_REGION_NAME": "us-east-1",
        "AWS_S3_ADDRESSING_STYLE": "path",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "NO_PROXY": "127.0.0.1",
    }
    program = [sys.executable, "-c", ASK, url]
    done = subprocess.run(program, cwd=ROOT, env=given | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, bool | str] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_one_variable_has_every_system_believe_the_company_s_own_authority(url: str, authority: Path) -> None:
    assert ask_all(url, SSL_CERT_FILE=str(authority)) == dict.fromkeys(SYSTEMS, True)


def test_nobody_believes_an_authority_that_is_not_named_and_all_say_why(url: str) -> None:
    told = ask_all(url)
    assert set(told) == set(SYSTEMS)
    assert [
        name for name, outcome in told.items() if "unable to get local issuer certificate" not in str(outcome)
    ] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"", "holds no certificate"), (b"nonsense", "holds no certificate")],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, says: str
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match=f"SSL_CERT_FILE .*{says}"):
        env.trust_certificates("SSL_CERT_FILE")


def test_an_empty_variable_leaves_the_public_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", " ")
    env.trust_certificates("SSL_CERT_FILE")
    assert "SSL_CERT_FILE" not in os.environ
    assert ssl.get_default_verify_paths().cafile != " "

"""A POST to a system that is slow, hostile or somewhere else leads to a sentence, and to nothing else."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from tests.fakes.child import ROOT
from tests.fakes.listener import Answer, Listener
from webhooks.keys import make_secret
from webhooks.live.posting import Poster
from webhooks.services import Outcome, Parcel

QUICK = aiohttp.ClientTimeout(total=1, sock_connect=1)


def parcel(url: str) -> Parcel:
    return Parcel(uuid4(), url, str(uuid4()), b'{"kind":"webhook.test"}', (make_secret(),))


def post(url: str, timeouts: aiohttp.ClientTimeout | None = None) -> Outcome:
    async def run() -> Outcome:
        async with Poster(*filter(None, [timeouts])) as poster:
            return await poster.post(parcel(url))

    return asyncio.run(run())


def test_a_redirect_is_not_followed(listener: Listener) -> None:
    with Listener() as other:
        listener.answers = [Answer(status=status, headers={"Location": other.url}) for status in (301, 302, 307, 308)]
        outcomes = [post(listener.url) for _ in range(4)]
        assert other.received == []
    assert {outcome.is_delivered for outcome in outcomes} == {False}
    assert outcomes[2].problem.startswith("It answered 307, a redirect; none is followed.")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_two_hundreds_mean_that_it_arrived(listener: Listener, status: int) -> None:
    listener.answers = [Answer(status=status)]
    assert post(listener.url).is_delivered


@pytest.mark.parametrize(
    ("status", "is_away"), [(400, False), (404, False), (410, False), (500, False), (429, True), (503, True)]
)
def test_other_answers_say_whether_the_whole_system_is_away(listener: Listener, status: int, is_away: bool) -> None:
    listener.answers = [Answer(status=status)]
    outcome = post(listener.url)
    assert (outcome.is_delivered, outcome.is_away, outcome.problem) == (False, is_away, f"It answered {status}.")


def test_no_more_than_a_kilobyte_of_an_answer_is_kept(listener: Listener) -> None:
    listener.answers = [
        Answer(status=200, body=b"x" * 3_000_000),
        Answer(status=500, body=b"\x00\xff<script>alert(1)</script>"),
        Answer(status=200, body=gzip.compress(b"0" * 10_000_000), headers={"Content-Encoding": "gzip"}),
    ]
    long, odd, bomb = (post(listener.url) for _ in range(3))
    assert (long.is_delivered, long.answer) == (True, "x" * 1024)
    assert odd.answer == "\ufffd\ufffd<script>alert(1)</script>"
    assert bomb.is_delivered
    assert len(bomb.answer) <= 1024


def test_one_that_keeps_us_waiting_is_left(listener: Listener) -> None:
    listener.answers = [Answer(seconds=3), Answer(status=200, headers={"Content-Length": "1000"})]
    outcome = post(listener.url, QUICK)
    assert (outcome.is_away, outcome.problem) == (True, "It did not answer within 1 seconds.")
    assert post(listener.url, QUICK).is_delivered  # though the rest of its answer never comes


RAW = {
    "nothing": b"",
    "garbage": b"\x16\x03\x01 this is not HTTP\r\n\r\n",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "an endless header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 50_000 + b"\r\n",
    "a strange status": b"HTTP/1.1 99999 Very\r\n\r\n",
    "bad chunks": b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
}


@pytest.mark.parametrize("what", RAW)
def test_one_that_speaks_no_http_raises_nothing(listener: Listener, what: str) -> None:
    listener.answers = [Answer(raw=RAW[what])]
    outcome = post(listener.url, QUICK)
    assert not outcome.is_delivered
    assert outcome.problem.endswith((".", "."))
    assert "127.0.0.1" not in outcome.problem


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost:{port}/",
        "https://127.0.0.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://127.1:{port}/",
        "http://localhost:{port}/",
        "http://127.0.0.1:{port}/",
    ],
)
def test_this_machine_is_not_reached_without_the_setting(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        outcome = post(url.format(port=server.getsockname()[1]))
        with pytest.raises(TimeoutError):
            server.accept()
    assert outcome.is_away
    assert not outcome.is_delivered


def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Also where one of its addresses is public, and where it leads there only when it is asked again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        answers = [["127.0.0.1"], ["192.0.2.1", "8.8.8.8"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]]
        for addresses in answers:
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=addresses, **__: _as_found(found, port))
            outcome = post(f"https://crm.example.com:{port}/")
            assert outcome.problem.startswith("Nothing was sent: "), addresses
            assert outcome.problem.endswith(" is not a public address, and in no network of WEBHOOK_ALLOWED_NETWORKS.")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_name_is_asked_for_once_and_the_address_that_was_looked_at_is_connected_to(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def rebind(host: str, *_: object, **__: object) -> Any:
        asked.append(host)
        return _as_found(["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"], listener.port)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    assert post(f"http://crm.example.com:{listener.port}/").is_delivered
    assert asked == ["crm.example.com"]
    assert listener.received[0].headers["host"] == f"crm.example.com:{listener.port}"


def _as_found(addresses: list[str], port: int) -> list[Any]:
    kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
    return [
        (kinds[ipaddress.ip_address(address).version], socket.SOCK_STREAM, 6, "", (address, port))
        for address in addresses
    ]


def test_a_name_that_there_is_not_is_told(allowed: None) -> None:
    assert post("https://nowhere.invalid/").problem == "Its name could not be resolved."


def test_no_proxy_of_the_environment_is_used(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    with Listener() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(listener.url).is_delivered
        assert proxy.received == []


def _uses(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=is_authority, crl_sign=is_authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


class Certificates:
    """An authority of a test's own, and certificates that it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        certificate = self._sign("Test authority", self._key, self._name, is_authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def of(self, host: str, *, days: int = 30) -> ssl.SSLContext:
        """A server's side with a certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        chain = self._folder / f"{host}{days}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain.write_bytes(private + self._sign(host, key, name, days=days).public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _sign(
        self, host: str, key: ec.EllipticCurvePrivateKey, name: x509.Name, *, is_authority: bool = False, days: int = 30
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host.replace(" ", "-"))]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(_uses(is_authority=is_authority), critical=True)
            .sign(self._key, hashes.SHA256())
        )


_POST = """
import asyncio, json, sys, django
django.setup()
from tests.webhooks.test_posting import post
print(json.dumps([post(url).problem for url in sys.argv[1:]]))
"""


def test_a_certificate_is_checked_for_the_name_though_the_address_is_given(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    right = Listener(tls=certificates.of("localhost"), host="localhost")
    wrong = Listener(tls=certificates.of("other.example"), host="localhost")
    old = Listener(tls=certificates.of("localhost", days=-1), host="localhost")
    with right, wrong, old:
        # A process of its own, because the authorities that are trusted are read when it begins.
        urls = [right.url, wrong.url, old.url]
        more = {"SSL_CERT_FILE": str(certificates.file), "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
        done = subprocess.run(
            [sys.executable, "-c", _POST, *urls], cwd=ROOT, env=os.environ | more, check=True, capture_output=True
        )
    taken, of_another, expired = json.loads(done.stdout)
    assert (taken, len(right.received)) == ("", 1)
    assert of_another.startswith("Its certificate was not accepted: Hostname mismatch")
    assert expired == "Its certificate was not accepted: certificate has expired."
    assert wrong.received + old.received == []


def test_a_certificate_of_nobody_known_is_not_accepted(tmp_path: Path, allowed: None) -> None:
    with Listener(tls=Certificates(tmp_path).of("localhost"), host="localhost") as listener:
        outcome = post(listener.url)
        assert listener.received == []
    assert outcome.problem.startswith("Its certificate was not accepted: ")


def test_a_port_that_speaks_no_tls_is_told(listener: Listener) -> None:
    outcome = post(f"https://127.0.0.1:{listener.port}/")
    assert outcome.is_away
    assert listener.received == []


def test_one_that_takes_the_connection_and_says_nothing_holds_nobody_for_long(allowed: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        thread = threading.Thread(target=lambda: taken.append(server.accept()[0]))
        thread.start()
        outcome = post(f"http://127.0.0.1:{server.getsockname()[1]}/", QUICK)
        thread.join(5)
        for each in taken:
            each.close()
    assert outcome.problem == "It did not answer within 1 seconds."

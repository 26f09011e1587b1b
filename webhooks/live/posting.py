"""One POST to an address of another system, which may be slow, hostile, or lead into our own network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import time
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from conversations.text import clean_text
from webhooks.addresses import Forbidden, as_address, require_address, require_url
from webhooks.keys import sign
from webhooks.services.sending import LOST, Outcome, Parcel

TIMEOUTS = aiohttp.ClientTimeout(total=20, sock_connect=5)
ANSWER_BYTES = 1024
AWAY = frozenset({408, 429, 502, 503, 504})
"""Answers that say that nobody there takes anything just now."""


class _Refused(OSError):
    """An address that is not connected to, as an error of the network that aiohttp hands on."""


class _Resolver(AbstractResolver):
    """Resolves names with the system's resolver, and refuses one of which any address is forbidden."""

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        results = []
        for kind, _, protocol, _, place in found:
            _require(place, self._scheme)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(place[0]),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    async def close(self) -> None:
        """Nothing is kept open."""


class Poster:
    """Posts to one endpoint over connections that are kept; leave the block to close them.

    No redirect is followed, no proxy or cookie is used, and each socket is made for an address that was looked at.
    """

    def __init__(self, timeouts: aiohttp.ClientTimeout = TIMEOUTS) -> None:
        self._timeouts = timeouts
        self._session: aiohttp.ClientSession | None = None
        self._url = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def post(self, parcel: Parcel) -> Outcome:
        """Sign a parcel with the time, post it, and return what came of it. What the other side does raises nothing."""
        if not parcel.secrets:
            return Outcome(is_delivered=False, is_away=True, problem=LOST)
        began = time.monotonic()
        try:
            require_url(parcel.url)
            outcome = await self._post(parcel)
        except Forbidden as error:
            outcome = _away(str(error))
        except aiohttp.ConnectionTimeoutError:
            outcome = _away(f"No connection could be made within {self._timeouts.sock_connect} seconds.")
        except TimeoutError:
            outcome = _away(f"It did not answer within {self._timeouts.total} seconds.")
        except aiohttp.ClientConnectorCertificateError as error:
            outcome = _away(_about_connection(error.certificate_error))
        except aiohttp.ClientConnectorError as error:
            outcome = _away(_about_connection(error.os_error))
        except aiohttp.ServerDisconnectedError:
            outcome = _away("It broke off the connection before it had answered.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            outcome = _away(f"It could not be reached, or what it answers is no HTTP ({type(error).__name__}).")
        milliseconds = int((time.monotonic() - began) * 1000)
        return replace(outcome, milliseconds=milliseconds)

    async def _post(self, parcel: Parcel) -> Outcome:
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Verbatim-Webhooks/1",
            "webhook-id": parcel.uid,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(parcel.secrets, uid=parcel.uid, timestamp=timestamp, body=parcel.body),
        }
        async with (await self._connected(parcel.url)).post(
            parcel.url, data=parcel.body, headers=headers, allow_redirects=False, timeout=self._timeouts
        ) as response:
            answer = await _beginning(response)
            return _judged(response, answer)

    async def _connected(self, url: str) -> aiohttp.ClientSession:
        """Return the session for a URL; another one where somebody has changed it, as that was not looked at."""
        if self._session is None or url != self._url:
            await self._close()
            self._session, self._url = _session(urlsplit(url).scheme), url
        return self._session

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _session(scheme: str) -> aiohttp.ClientSession:
    def make_socket(place: aiohttp.AddrInfoType) -> socket.socket:
        """Make the socket for the very address that is connected to: the last look, also at addresses in a URL."""
        family, kind, protocol, _, address = place
        _require(address, scheme)
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(resolver=_Resolver(scheme), socket_factory=make_socket, limit=2)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
    )


def _require(place: tuple[object, ...], scheme: str) -> None:
    address = as_address(str(place[0]))
    if address is None:
        raise _Refused("Its name leads to no internet address.")
    try:
        require_address(address, scheme=scheme)
    except Forbidden as error:
        raise _Refused(str(error)) from error


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Read up to 1 KB, and hang up on the rest. An answer that breaks off has been given all the same."""
    read = bytearray()
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        while len(read) < ANSWER_BYTES and (piece := await response.content.read(ANSWER_BYTES - len(read))):
            read += piece
    if not response.content.at_eof():
        response.close()
    return clean_text(read.decode("utf-8", "replace"))


def _judged(response: aiohttp.ClientResponse, answer: str) -> Outcome:
    status = response.status
    if 200 <= status < 300:
        return Outcome(is_delivered=True, status_code=status, answer=answer)
    problem = f"It answered {status}."
    if 300 <= status < 400:
        problem = f"It answered {status}, a redirect; none is followed. Enter the address that it leads to."
    return Outcome(
        is_delivered=False,
        is_away=status in AWAY,
        problem=problem,
        status_code=status,
        answer=answer,
        retry_after=_seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0


def _away(problem: str) -> Outcome:
    return Outcome(is_delivered=False, is_away=True, problem=problem)


def _about_connection(error: BaseException) -> str:
    if isinstance(error, _Refused):
        return f"Nothing was sent: {error}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate was not accepted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "A secure connection could not be made."
    if isinstance(error, socket.gaierror):
        return "Its name could not be resolved."
    if isinstance(error, OSError) and error.errno:
        return f"No connection could be made: {os.strerror(error.errno)}."
    return "No connection could be made."

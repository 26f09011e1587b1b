"""What the company's OpenID provider says of itself, and whether a token is truly its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings

from accounts.faults import describe

logger = logging.getLogger(__name__)

LEEWAY_SECONDS = 30
DOCUMENT_SECONDS = 3_600.0
AWAY_SECONDS = 5.0
MOST_BYTES = 1_000_000
LONGEST_SUBJECT = 191
FAR_FUTURE = 32_503_680_000  # the year 3000: later times are no dates everywhere
# Public keys alone: with a shared secret, whoever checks tokens could make them too.
_BY_KIND = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash")


class ProviderAway(Exception):
    """The provider cannot be asked, or answers what makes no sense; the message is for the log."""


class NotTrusted(Exception):
    """A token that is not the provider's own, not for us, or not valid now. The message says which, for its bearer."""


@dataclass
class Provider:
    """The provider at an issuer's address, with what it said last. Safe for threads, of which one asks at a time."""

    issuer: str
    keys_seconds: float = 600.0
    pause_seconds: float = 30.0
    """How long an unknown key is not asked for again: made-up tokens must not hammer the provider."""
    _document: dict[str, Any] = field(default_factory=dict)
    _document_until: float = 0.0
    _keys: list[dict[str, Any]] = field(default_factory=list)
    _keys_until: float = 0.0
    _unknown_until: float = 0.0
    _away_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def document(self) -> dict[str, Any]:
        """Return the provider's configuration, asked for once an hour; an old one while it is away.

        Raises ProviderAway where there is none yet.
        """
        with self._lock:
            return self._read_document()

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """Return the key that a token names, and ask anew for one that is not known, as keys change.

        Raises NotTrusted where there is none, and ProviderAway where there are no keys at all.
        """
        with self._lock:
            now = time.monotonic()
            if now >= self._keys_until:
                self._read_keys()
            found = self._find(kid)
            if found is None and now >= self._unknown_until:
                self._unknown_until = now + self.pause_seconds
                self._read_keys()
                found = self._find(kid)
        if found is None:
            raise NotTrusted("It was signed with a key that is not the provider's.")
        if algorithm not in _algorithms_of(found):
            raise NotTrusted("It was not signed in a way that is accepted.")
        try:
            return jwt.PyJWK(found, algorithm)
        except jwt.PyJWTError as error:
            raise ProviderAway(f"The key {kid!r} makes no sense: {type(error).__name__}") from error

    def _read_document(self) -> dict[str, Any]:
        now = time.monotonic()
        if now < self._document_until:
            return self._document
        try:
            document = self._ask(f"{self.issuer}/.well-known/openid-configuration")
            self._check(document)
        except ProviderAway as away:
            if not self._document:
                raise
            logger.warning("The company's sign-in cannot be asked; what it said before holds: %s", away)
            self._document_until = now + self.pause_seconds
            return self._document
        self._document, self._document_until = document, now + DOCUMENT_SECONDS
        return document

    def _read_keys(self) -> None:
        now = time.monotonic()
        try:
            keys = _key_list(self._ask(self._read_document()["jwks_uri"]))
        except ProviderAway as away:
            if not self._keys:
                raise
            logger.warning("The keys of the company's sign-in cannot be asked for; the old ones hold: %s", away)
            self._keys_until = now + self.pause_seconds
            return
        self._keys = keys
        self._keys_until = now + self.keys_seconds

    def _ask(self, address: Any) -> dict[str, Any]:
        """Ask, or say at once that the provider was away a moment ago: each try may take seconds."""
        now = time.monotonic()
        if now < self._away_until:
            raise ProviderAway("It was away a moment ago.")
        try:
            return fetch(address)
        except ProviderAway:
            self._away_until = now + min(self.pause_seconds, AWAY_SECONDS)
            raise

    def _check(self, document: dict[str, Any]) -> None:
        if str(document.get("issuer", "")).rstrip("/") != self.issuer:
            raise ProviderAway("The configuration is that of another issuer.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(document.get(name)):
                raise ProviderAway(f"Its {name} is no address that passwords may travel to.")

    def _find(self, kid: str | None) -> dict[str, Any] | None:
        signing = [key for key in self._keys if key.get("use", "sig") == "sig" and _algorithms_of(key)]
        if kid is None:
            return signing[0] if len(signing) == 1 else None
        return next((key for key in signing if key.get("kid") == kid), None)


def provider() -> Provider:
    """Return the provider that the settings name; one for the process."""
    with _providers_lock:
        return _providers.setdefault(settings.OIDC_ISSUER, Provider(settings.OIDC_ISSUER))


_providers: dict[str, Provider] = {}
_providers_lock = threading.Lock()


def claims_of(token: Any, *, audience: str) -> dict[str, Any]:
    """Return what a token of the provider says, once its signature, issuer, audience and times have been checked.

    Raises NotTrusted with the reason, and ProviderAway where its keys cannot be had.
    """
    if not isinstance(token, str):
        raise NotTrusted("There is none.")
    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or not (kid is None or isinstance(kid, str)):
            raise NotTrusted("Its header makes no sense.")
        if not any(algorithm in allowed for allowed in _BY_KIND.values()):
            raise NotTrusted("It was not signed in a way that is accepted.")
        issuer = provider()
        claims: dict[str, Any] = jwt.decode(
            token,
            key=issuer.key(kid, algorithm),
            algorithms=[algorithm],
            audience=audience,
            issuer=str(issuer.document()["issuer"]),
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise NotTrusted("It has expired.") from error
    except jwt.InvalidAudienceError as error:
        raise NotTrusted("It was made for somebody else (audience).") from error
    except jwt.InvalidIssuerError as error:
        raise NotTrusted("It is of another issuer.") from error
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise NotTrusted("It is no valid token.") from error
    if not 0 < int(claims["exp"]) < FAR_FUTURE:
        raise NotTrusted("It ends at a time that there is not.")
    if not claims["sub"].isprintable() or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
        raise NotTrusted("Its subject cannot be kept.")
    return claims


def is_id_token(claims: dict[str, Any]) -> bool:
    """Tell whether a token says who signed in rather than what may be asked for."""
    return any(name in claims for name in _OF_ID_TOKENS)


def is_safe(address: Any) -> bool:
    """Tell whether secrets may travel to an address: https, or this very machine."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
        return (parts.scheme == "https" and bool(parts.hostname)) or (
            parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        )
    except ValueError:
        return False


def fetch(address: Any, **headers: str) -> dict[str, Any]:
    """Return the JSON object at an address of the provider; redirects are not followed. Raises ProviderAway."""
    if not is_safe(address):
        raise ProviderAway("It names an address that nothing secret may travel to.")
    try:
        with get_adapter().get_requests_session() as session:
            response = session.get(address, headers=headers, allow_redirects=False)
            if response.status_code != 200:
                raise ProviderAway(f"{urlsplit(address).path} answered {response.status_code}.")
            if len(response.content) > MOST_BYTES:
                raise ProviderAway(f"{urlsplit(address).path} answered too much.")
            found = response.json()
    except (OSError, ValueError) as error:  # of requests: its errors are OSErrors
        raise ProviderAway(f"{urlsplit(address).path} cannot be had: {describe(error)}") from error
    if not isinstance(found, dict):
        raise ProviderAway(f"{urlsplit(address).path} answered no object.")
    return found


def _key_list(found: dict[str, Any]) -> list[dict[str, Any]]:
    keys = found.get("keys")
    if not isinstance(keys, list):
        raise ProviderAway("It names no keys.")
    return [key for key in keys if isinstance(key, dict)]


def _algorithms_of(key: dict[str, Any]) -> Sequence[str]:
    allowed = _BY_KIND.get(str(key.get("kty")), ())
    named = key.get("alg")
    return allowed if named is None else [name for name in allowed if name == named]

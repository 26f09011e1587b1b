"""Secrets of webhooks: how they are made, kept and signed with (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

PREFIX = "whsec_"
_BYTES = 32


class LostSecret(Exception):
    """A secret that can no longer be read: it was kept under another SECRET_KEY."""


def make_secret() -> str:
    """Return a new secret, as listeners are given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def conceal(secret: str) -> str:
    """Return a secret as its column keeps it: encrypted with a key of SECRET_KEY."""
    return _box().encrypt(secret.encode()).decode()


def reveal(concealed: str) -> str:
    """Return what `conceal` was given. Raises LostSecret."""
    try:
        return _box().decrypt(concealed.encode()).decode()
    except InvalidToken:
        raise LostSecret from None


def is_readable(concealed: str) -> bool:
    """Tell whether a secret can still be signed with."""
    try:
        reveal(concealed)
    except LostSecret:
        return False
    return True


def sign(with_secrets: Iterable[str], *, uid: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`: HMAC-SHA256 of `uid.timestamp.body` with each secret."""
    content = f"{uid}.{timestamp}.".encode() + body
    keys = (base64.b64decode(secret.removeprefix(PREFIX)) for secret in with_secrets)
    signed = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signed)


def _box() -> Fernet:
    key = hashlib.sha256(b"webhooks " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))

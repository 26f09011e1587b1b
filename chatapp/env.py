"""Reads settings from the environment. Nonsense is refused with a sentence that names the variable."""

import hmac
import os
import ssl
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from psycopg import Error as PsycopgError
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
_found: dict[str, str] = {}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def load_environment() -> None:
    """Fill in what the environment leaves open: first from `.env`, then from what `make run` keeps under `VAR_DIR`.

    A variable that is set is never changed. The files under `VAR_DIR` make `manage.py` work beside a running
    `make run` without any variable.
    """
    dotenv = BASE_DIR / ".env"
    if dotenv.is_file():
        for line in dotenv.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith("#"):
                os.environ.setdefault(name.strip(), _unquoted(value.strip()))
    for name, file_name in (("SECRET_KEY", "secret_key"), ("DATABASE_URL", "database.url")):
        file = var_dir() / file_name
        if not os.environ.get(name) and os.access(file, os.R_OK):
            os.environ[name] = file.read_text(encoding="utf-8").strip()


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def var_dir() -> Path:
    """Return the folder for everything that `make run` keeps (`VAR_DIR`, otherwise `var/` beside manage.py)."""
    return (BASE_DIR / (os.environ.get("VAR_DIR") or "var")).resolve()


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks, or `default` where it is unset or empty."""
    value = os.environ.get(name, "").strip()
    _found[name] = value
    return value or default


def fingerprints(key: str) -> dict[str, str]:
    """Return a keyed hash of each variable that was read until now, by which a change of it can be told.

    Addresses on this machine are left out: `make run` chooses their ports anew at each start.
    """
    return {
        name: hmac.digest(key.encode(), f"{name}={value}".encode(), "sha256").hex()
        for name, value in sorted(_found.items())
        if "127.0.0.1:" not in value
    }


def secret(name: str, *, minimum: int) -> str:
    """Return a secret of at least `minimum` characters.

    Raises ImproperlyConfigured when it is unset or too short; the message never holds the value.
    """
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. `make run` makes one; elsewhere set it, see .env.example.")
    if len(value) < minimum:
        raise ImproperlyConfigured(f"{name} has {len(value)} characters; it needs at least {minimum}.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Return true/false, yes/no, on/off or 1/0 as a boolean; anything else is refused."""
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise ImproperlyConfigured(f"{name} is {value!r}; it can be true or false.")


def whole_number(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
    """Return a whole number from `minimum` to `maximum`; anything else is refused."""
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
        raise ImproperlyConfigured(f"{name} is {value!r}; it can be a whole number from {minimum} to {maximum}.")
    return int(value)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of `choices`; anything else is refused."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it can be one of {', '.join(choices)}.")
    return value


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone such as Europe/Berlin; one that is not known is refused."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):  # nonsense, a folder of zones, and what is not there
        raise ImproperlyConfigured(f"{name} is {value!r}; it can be a time zone such as Europe/Berlin.") from None
    return value


def host_names(name: str, default: tuple[str, ...]) -> list[str]:
    """Return a comma-separated list of host names; an entry that is an address is refused."""
    entries = _entries(name)
    if wrong := [entry for entry in entries if "/" in entry or "@" in entry or " " in entry]:
        raise ImproperlyConfigured(f"{name} holds {wrong[0]!r}; it takes host names such as chat.example.org.")
    return entries or list(default)


def origins(name: str, default: tuple[str, ...]) -> list[str]:
    """Return a comma-separated list of origins; an entry without scheme and host, or with a path, is refused."""
    entries = [entry.rstrip("/") for entry in _entries(name)]
    for entry in entries:
        parts = urlsplit(entry)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.username:
            raise ImproperlyConfigured(f"{name} holds {entry!r}; it takes origins such as https://chat.example.org.")
    return entries or list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated list of networks such as 10.20.0.0/16; an entry that is none is refused."""
    found = []
    for entry in _entries(name):
        try:
            found.append(ip_network(entry))
        except ValueError:
            raise ImproperlyConfigured(f"{name} holds {entry!r}; it takes networks such as 10.20.0.0/16.") from None
    return found


def pairs(name: str) -> list[tuple[str, str]]:
    """Return a comma-separated list of `value=name` as pairs, cut at the last `=`; an entry without both is refused."""
    found = []
    for entry in _entries(name):
        value, _, target = (part.strip() for part in entry.rpartition("="))
        if not value or not target:
            raise ImproperlyConfigured(f"{name} holds {entry!r}; it takes entries such as chat-reviewers=Reviewers.")
        found.append((value, target))
    return found


def _entries(name: str) -> list[str]:
    return [entry.strip() for entry in text(name).split(",") if entry.strip()]


def http_url(name: str, default: str = "", *, check: Callable[[str], bool] | None = None) -> str:
    """Return an http(s) address without a trailing slash, or `default`."""
    value = text(name, default).rstrip("/")
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ImproperlyConfigured(f"{name} is not an address such as https://chat.example.org.")
    if check is not None and not check(value):
        raise ImproperlyConfigured(f"{name} is {value!r}: plain http is allowed only on this machine (127.0.0.1).")
    return value


def trust_certificates(name: str) -> None:
    """Have every connection to another system trust the authorities in this file; one that cannot be used is refused.

    OpenSSL reads SSL_CERT_FILE itself, for the model and for webhooks, and takes an empty one for a file that holds
    none; `requests` and botocore read another variable, which is set beside it.
    """
    path = text(name)
    if not path:
        os.environ.pop(name, None)
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ImproperlyConfigured(f"{name} is {path!r}, which holds no certificate in PEM format.") from None
    except OSError as error:
        raise ImproperlyConfigured(f"{name} is {path!r}, which cannot be read: {error.strerror}.") from None
    os.environ.setdefault("REQUESTS_CA_BUNDLE", path)


def is_safe_origin(url: str) -> bool:
    """Tell whether cookies and passwords may travel to this address: https, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")


def postgres(name: str) -> dict[str, object]:
    """Return Django's description of the PostgreSQL database that a `postgresql://` address names."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. `make run` starts a database; elsewhere name yours.")
    try:
        parts = {key: str(part) for key, part in conninfo_to_dict(value).items() if part is not None}
    except PsycopgError:
        parts = {}
    if not value.startswith(("postgresql://", "postgres://")) or not parts.get("dbname"):
        raise ImproperlyConfigured(f"{name} is not an address such as postgresql://user:password@host:5432/database.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": dict[str, object](parts),
    }

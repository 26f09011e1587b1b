"""Which addresses deliveries may go to: no private network, unless a setting names it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 500
# Servers of clouds' own that are reached under public addresses, with what they tell of the machine that asks.
_OF_CLOUDS = frozenset({ipaddress.ip_address("168.63.129.16")})
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


class Forbidden(ValueError):
    """An address to which nothing is sent; its words say why."""


def require_url(url: str) -> None:
    """Raise Forbidden where a webhook's URL cannot be used, whatever its name leads to.

    It is https; http may be meant for the networks of WEBHOOK_ALLOWED_NETWORKS, which is for `require_address` to say.
    """
    if len(url) > LONGEST_URL:
        raise Forbidden(f"An address can have {LONGEST_URL} characters; this one has {len(url):,}.")
    if not url.isascii() or any(character <= " " or character == "\x7f" or character == "\\" for character in url):
        raise Forbidden("Write the address without blanks and in ASCII characters, names of hosts as xn--…")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Forbidden("This is no address such as https://crm.example.com/verbatim.") from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise Forbidden("This is no address such as https://crm.example.com/verbatim.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOWED_NETWORKS:
        raise Forbidden("Use https: plain http goes to the networks of WEBHOOK_ALLOWED_NETWORKS alone.")
    if "@" in parts.netloc:
        raise Forbidden("Leave out name and password: deliveries are signed, and an address is shown and logged.")
    if parts.fragment or url.endswith("#"):
        raise Forbidden("Leave out what follows the sign #: it is never sent.")
    literal = as_address(host)
    if literal is None and (not _HOST.issuperset(host) or _is_numeric(host)):
        raise Forbidden(f"{host!r} is no name of a host.")
    if literal is not None:
        require_address(literal, scheme=parts.scheme)


def require_address(address: Address, *, scheme: str) -> None:
    """Raise Forbidden where nothing may be sent to an address; asked of the very address that is connected to."""
    plain = unmapped(address)
    if any(plain in network for network in settings.WEBHOOK_ALLOWED_NETWORKS if network.version == plain.version):
        return
    if scheme != "https":
        raise Forbidden(f"Plain http goes to the networks of WEBHOOK_ALLOWED_NETWORKS alone, and {plain} is in none.")
    if not is_public(address):
        raise Forbidden(f"{plain} is not a public address, and in no network of WEBHOOK_ALLOWED_NETWORKS.")


def is_public(address: Address) -> bool:
    """Whether everybody on the internet can reach an address: not private, loopback, link-local, shared, reserved …

    IPv6 addresses that carry an IPv4 address within (mapped, 6to4, Teredo, NAT64) lead to that one, so none counts.
    """
    if not address.is_global or address.is_multicast or address.is_reserved or address in _OF_CLOUDS:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    carries = address.ipv4_mapped or address.sixtofour or address.teredo
    return not carries and not address.is_site_local and address.scope_id is None


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one is written for; others as they are."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def as_address(host: str) -> Address | None:
    """Return a host as the address that it is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_numeric(host: str) -> bool:
    """Whether the end of a host makes it an IPv4 address in one of its older forms, such as 127.1 or 0x7f000001."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")

"""Links that say where they go, and images that are never fetched."""

import functools
import re
import unicodedata
from collections.abc import Mapping
from html import escape, unescape
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

SANDBOX: Final = "sandbox:"  # the scheme of links to files in the provider's container
_IMAGE: Final = re.compile(r'<img src="([^"]*)" alt="([^"]*)"(?: title="[^"]*")? />')
_LINK: Final = re.compile(r"<a(?: ([^>]*))?>(.*?)</a>", re.DOTALL)
_HREF: Final = re.compile(r'(?:^| )href="([^"]*)"')
_TAG: Final = re.compile(r"<[^>]*>")
# Stricter than browsers, which also take `https:host`, `https:/host` and `https:\\host`: those are no links here.
_WEB: Final = re.compile(r"(https?)://(?:[^/?#]*@)?([^/?#@:\[\]\\]+)(:\d{1,5})?(?=[/?#]|$)", re.IGNORECASE)
_MAIL: Final = re.compile(r"mailto:([^?]+)", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.-])?", re.IGNORECASE)


def images_as_text(markup: str) -> str:
    """Return cmark's `markup` with its images as text: fetching one could carry anything to its host."""
    return _IMAGE.sub(_image_text, markup) if "<img " in markup else markup


def links_with_hosts(markup: str, files: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return sanitised `markup` with the host after each link whose text does not say it; a link to nowhere is text.

    `files` has the addresses, of ours, of files by their names: a model links to what it wrote as `sandbox:/…/name`.
    """
    return _LINK.sub(functools.partial(_link, files), markup) if "<a" in markup else markup


def _image_text(image: re.Match[str]) -> str:
    target = destination(unescape(image[1]))
    where = f": {escape(target[1])}" if target else ""
    return f"{image[2]} [image not shown{where}]".lstrip()


def _link(files: Mapping[str, str], link: re.Match[str]) -> str:
    href = _HREF.search(link[1] or "")
    wanted = unescape(href[1]) if href else ""
    if wanted.lower().startswith(SANDBOX):
        file = files.get(unquote(wanted).rpartition("/")[2])
        return f'<a href="{escape(file)}" download="">{link[2]}</a>' if file else link[2]
    target = destination(wanted)
    if target is None:
        return link[2]
    url, host = target
    shown = "" if _says(unescape(_TAG.sub("", link[2])), host) else f' <span class="link-host">({escape(host)})</span>'
    return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow" target="_blank">{link[2]}</a>{shown}'


def _says(text: str, host: str) -> bool:
    """Tell whether a link's text already names `host` and nothing that could be taken for another one."""
    text = re.sub(r"^(?:https?://|mailto:)", "", text.strip().lower())
    rest = text.removeprefix(host.lower())
    return rest != text and (not rest or rest[0] in "/?#:") and "@" not in rest


def destination(url: str) -> tuple[str, str] | None:
    """Return the address to link to and the host (or mailbox) it leads to, as it is to be shown; None for no link.

    User names before the host are left out of the address: their one use in a text is to look like a host.
    A host in other letters is linked and shown in its ASCII form, so that nobody takes it for a look-alike.
    """
    if mail := _MAIL.match(url):
        return url, unquote(mail[1])
    web = _WEB.match(url)
    if web is None:
        return None
    scheme, host, port = web[1].lower(), _ascii_host(web[2]), web[3] or ""
    return (f"{scheme}://{host}{port}{url[web.end() :]}", host) if host else None


def _ascii_host(host: str) -> str:
    name = unicodedata.normalize("NFKC", unquote(host)).lower()
    labels = (label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in name.split("."))
    ascii_name = ".".join(labels)
    return ascii_name if _HOST.fullmatch(ascii_name) else ""

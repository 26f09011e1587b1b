"""How numbers, times and icons look on pages."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import PurePosixPath

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.amounts import money as write_money

register = template.Library()

_ICONS = {
    "new": "M12 5v14M5 12h14",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "fold": "M4 5h16v14H4zM9 5v14",
    "close": "M6 6l12 12M18 6L6 18",
    "attach": "M20 11.5l-8.2 8.2a5 5 0 0 1-7-7l8.5-8.6a3.4 3.4 0 0 1 4.8 4.8l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "image": "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9h.01",
    "send": "M12 19V5M6 11l6-6 6 6",
    "stop": "M7 7h10v10H7z",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "retry": "M20 5v5h-5M19.4 10A8 8 0 1 0 20 13",
    "details": "M12 11v6M12 7.5v.5M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "down": "M12 5v14M6 13l6 6 6-6",
    "download": "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    "edit": "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    "warning": "M12 9v4.5M12 17v.5M12 3.5L2.5 20h19z",
    "sealed": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "account": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
    "theme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "up": "M7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9H19a1.8 1.8 0 0 1 1.8 2.1l-1.2 7.4A1.8 1.8 0 0 1 17.8 20H7M7 11v9H3.5v-9z",
    "print": "M7 9V3.5h10V9M7 17H4V9h16v8h-3M7 14h10v6.5H7z",
    "pin": "M9 3.5h6M10 3.5v6L6.5 13v1.5h11V13L14 9.5v-6M12 14.5V21",
    "filter": "M4 6h16M7 12h10M10 18h4",
    "trash": "M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l1 13.5h9l1-13.5M10.5 10.5v6M13.5 10.5v6",
    "search": "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5L20.5 20.5",
    "previous": "M14.5 6l-6 6 6 6",
    "next": "M9.5 6l6 6-6 6",
    "continue": "M5 6l7 6-7 6zM13 6l7 6-7 6z",
    "choose": "M4 8h9M17 8h3M15 6v4M4 16h3M11 16h9M9 14v4",
    "keys": "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a line icon. It is decoration: the control around it carries the words."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>', _ICONS[name]
    )


@register.simple_tag
def when(moment: datetime.datetime | None) -> SafeString:
    """Write a time the way people do, with the exact one on hover and for machines."""
    if moment is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment.astimezone(datetime.UTC):%-d %B %Y, %H:%M:%S}",
        _relative(timezone.now() - moment, moment),
    )


@register.filter
def duration(span: datetime.timedelta | None) -> str:
    """Write how long something took: 180 ms, 4.2 s, 2 min 5 s."""
    if span is None:
        return "unknown"
    seconds = max(span.total_seconds(), 0)
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


@register.filter
def money(amount: Decimal) -> str:
    """Write US dollars."""
    return write_money(amount)


@register.filter
def dollars(amount: float) -> str:
    """Write a round amount of US dollars, at the side of a chart: $0.05, $2, $400."""
    return f"${amount:,.0f}" if amount >= 10 or amount == int(amount) else write_money(Decimal(f"{amount:.6g}"))


@register.filter
def short(amount: float) -> str:
    """Write a round number in few characters, at the side of a chart: 500, 20k, 1.5M."""
    for power, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if amount >= power:
            return f"{amount / power:g}{unit}"
    return f"{amount:g}"


@register.filter
def file_size(size: int | None) -> str:
    """Write how large a file is: 512 B, 14 KB, 1.2 MB, of a thousand each, as the limits count."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} B"
    for power, unit in ((1, "KB"), (2, "MB"), (3, "GB")):
        amount = size / 1000**power
        if amount < 9.95 and unit != "KB":
            return f"{amount:.1f} {unit}"
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
    return f"{size / 1000**3:,.0f} GB"


@register.filter
def file_kind(name: str) -> str:
    """Write the type of a file by the end of its name: PDF, XLSX; "File" where that tells nothing."""
    ending = PurePosixPath(name).suffix[1:]
    return ending.upper() if ending.isascii() and ending.isalnum() and len(ending) <= 6 else "File"


@register.filter
def number(value: int) -> str:
    """Write a number with its thousands set apart."""
    return f"{value:,}"


def _relative(age: datetime.timedelta, moment: datetime.datetime) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    return f"{timezone.localtime(moment):%-d %b %Y}"

"""What is asked of the page of use: 30 days, a year and ten years, told apart by everything, with every filter."""

from collections.abc import Iterator

from django.test import Client

from bench.history import Case, heavy_user
from conversations.models import Assistant

_SPANS = {
    "30 days": "from=2026-10-22&to=2026-11-20",
    "a year": "from=2025-11-21&to=2026-11-20",
    "ten years": "from=2016-11-21&to=2026-11-20",
}


def usage_cases(client: Client) -> Iterator[Case]:
    """Yield the cases: the whole page, as Django answers it, and the table of all people."""
    assistant = f"assistant={Assistant.objects.get(slug='bench-3').slug}"
    asked = {
        "by day": "",
        "by group": "by=group",
        "by assistant": "by=assistant",
        "by model": "by=model",
        "by person": "by=person",
        "of a group": "group=3",
        "of an assistant": assistant,
        "of a person": f"person={heavy_user().username}",
        "of a group, by assistant": "group=3&by=assistant",
        "of an assistant, by person": f"{assistant}&by=person",
        "of a group and an assistant, by person": f"group=3&{assistant}&by=person",
    }

    def ask(address: str) -> object:
        response = client.get(f"/admin/records/usagefact/{address}")
        assert response.status_code == 200, (address, response.status_code, response.content[:500])
        return response

    for span, days in _SPANS.items():
        for name, query in asked.items():
            shows_plan = name in ("by day", "by assistant", "by person")
            yield Case(f"usage, {span}, {name}", ask, [f"?{days}&{query}"], shows_plan)
    yield Case("usage, ten years, CSV of all people", ask, [f"csv/?{_SPANS['ten years']}&by=person"], False)

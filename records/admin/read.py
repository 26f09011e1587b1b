"""Rows that hold what people wrote, one by one: who looks says why, and each list and page that shows them is noted."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from records import sitting
from records.admin.record import RecordAdmin


class ReadAdmin(sitting.NeedsReason, RecordAdmin):
    """A record that is read in a sitting. A list names in the audit all whose rows it showed, a page its one person."""

    noun = ""
    """What the audit calls it: `message` makes message.listed and message.read."""

    @property
    def _type(self) -> str:
        return str(self.opts.model_name)

    def owner_of(self, row: Any) -> int | None:
        """Return the id of the person whose it is; for rows of a list without a query."""
        return int(row.owner_id)

    def conversation_of(self, row: Any) -> str | None:
        """Return the id of the conversation that it belongs to, as far as there is one."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show a page of the list and note whose rows are on it; nothing leaves before that is written."""
        response = super().changelist_view(request, extra_context)
        if not self.lists_text:
            return response
        shown = getattr(response, "context_data", None) or {}
        if rows := list(shown["cl"].result_list) if "cl" in shown else []:
            owners = sorted({owner for row in rows if (owner := self.owner_of(row)) is not None})
            sitting.note(request, f"{self.noun}.listed", self._type, details={"rows": len(rows), "owners": owners})
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """Note that the row is read; Django has checked the right to it by now."""
        if obj is not None:
            details = {"conversation": self.conversation_of(obj)}
            sitting.note(request, f"{self.noun}.read", self._type, obj.pk, self.owner_of(obj), details)
        return super().render_change_form(request, context, add, change, form_url, obj)

"""One person of each role, signed in, and what one of them owns."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone

from accounts.models import Token, User
from accounts.tokens import make_token
from audit.models import AuditEvent
from batches.models import Batch, BatchItem
from conversations.models import (
    Assistant,
    Event,
    Generation,
    UsageDay,
    UsageLimit,
)
from records import sitting
from tests.access import api
from tests.access.belongings import SECRET, Belongings
from tests.access.office import Exports, Retention, Reviews, make_webhook
from tests.access.routes import fill
from tests.factories import make_assistant, make_model, make_user, token
from webhooks.models import WebhookDelivery

__all__ = ["SECRET", "Belongings", "World", "make_world"]

PASSWORD = "a-fair-password-17"


@dataclass
class World:
    """Who asks, and what for."""

    people: dict[str, User]
    assistant: Assistant
    belongings: Belongings
    of_deactivated: Belongings
    group: Group
    limit: UsageLimit
    exports: Exports
    reviews: Reviews
    retention: Retention
    batch: Batch
    delivery: WebhookDelivery
    _clients: dict[str, Client] = field(default_factory=dict)
    _sessions: dict[str, str] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        """Return the browser of a person, with the cookie of their sign-in and no other."""
        client = self._clients.setdefault(role, Client(raise_request_exception=False))
        client.cookies.clear()
        if role in self._sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self._sessions[role]
        return client

    def sign_in_all(self) -> None:
        """Make sessions as sign-ins make them, at a time when everybody was active; readers have said why they read."""
        for role, person in self.people.items():
            session = SessionStore()
            session[SESSION_KEY] = str(person.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = person.get_session_auth_hash()
            if role in ("reviewer", "administrator"):
                session[sitting.SESSION_KEY] = {"person": person.pk, "reason": "Case 17", "began": int(time.time())}
            session.create()
            self._sessions[role] = str(session.session_key)

    def session_key(self, role: str) -> str:
        """Return the key of a person's session."""
        return self._sessions[role]

    def forget_reason(self, role: str) -> None:
        """End the sitting of a person who stays signed in."""
        session = SessionStore(self._sessions[role])
        del session[sitting.SESSION_KEY]
        session.save()

    def ask(
        self,
        role: str,
        verb: str,
        address: str,
        data: dict[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request and return the response. Without `data` a POST sends the form that does harm."""
        client = self.client(role)
        if address.startswith(("/api/", "/v1/")) and data is None:
            body = "" if verb in ("GET", "HEAD", "OPTIONS") else json.dumps(self._api_body(address))
            wishes = {"Prefer": "respond-async"} | dict(headers or {})
            return client.generic(verb, address, body, "application/json", headers=wishes)
        if verb == "POST":
            return client.post(address, self.form() if data is None else data, headers=headers)
        body = "" if verb in ("GET", "HEAD", "OPTIONS") else "title=Taken"
        return client.generic(verb, address, body, "application/x-www-form-urlencoded", headers=headers)

    def form(self) -> dict[str, Any]:
        """Return a form that does harm wherever it is accepted: a message, a title, a deletion."""
        return {
            "prompt": "A word of mine",
            "client_token": str(token()),
            "assistant": self.assistant.slug,
            "title": "Taken",
            "rating": "down",
            "pinned": "yes",
            "post": "yes",
            "name": "Taken",
            "owner": self.people["stranger"].pk,
            "is_superuser": "on",
        }

    def address(self, route: str, pattern: str, *, role: str = "owner") -> str:
        """Return the address of the route for the thing of the owner, or of the deactivated person's own."""
        name = route.rpartition(":")[2]
        belongings = self.of_deactivated if role == "deactivated" else self.belongings
        if route.startswith("conversations:"):
            return fill(pattern, belongings.values().get(name, {}))
        if route.startswith("api:"):
            return fill(pattern, api.values(belongings).get(name, {}))
        if route.startswith("openai:"):
            return fill(pattern, api.values_of_door(belongings).get(name, {}))
        return fill(pattern, self._office_values(pattern))

    def _api_body(self, address: str) -> dict[str, Any]:
        try:
            return api.BODIES.get(resolve(urlsplit(address).path).view_name, {})
        except Resolver404:
            return {}

    def missing_address(self, pattern: str) -> str:
        """Return the address of something that never was."""
        names = ("pk", "message_id", "object_id", "review_id", "conversation_id", "hold_id", "run_id")
        return fill(pattern, dict.fromkeys(names, uuid.uuid4()) | {"person_id": 0})

    @cached_property
    def _office_rows(self) -> dict[str, Any]:
        """What the back office shows, by kind; looked up once, as requests do away with none of it for good."""
        answer = self.belongings.ended
        call = Generation.objects.filter(message=answer).first()
        return {
            "user": self.people["owner"],
            "token": Token.objects.filter(owner=self.people["owner"]).earliest("created_at"),
            "group": self.group,
            "languagemodel": make_model(),
            "assistant": self.assistant,
            "conversation": self.belongings.conversation,
            "generation": call,
            "message": answer,
            "attachment": self.belongings.picture,
            "usagelimit": self.limit,
            "usageday": UsageDay.objects.first(),
            "feedback": self.belongings.rating,
            "sealeddocument": self.belongings.sealed,
            "event": Event.objects.first(),
            "auditevent": AuditEvent.objects.first(),
            "review": self.reviews.waiting,
            "reviewpolicy": self.reviews.policy,
            "reviewlabel": self.reviews.label,
            "bulkexport": self.exports.running,
            "batch": self.batch,
            "webhookdelivery": self.delivery,
            "webhookendpoint": self.delivery.endpoint,
            **self.retention.rows(),
        }

    def _office_values(self, pattern: str) -> dict[str, object]:
        rows = self._office_rows
        call = rows["generation"]
        kind = [*pattern.split("/"), "", ""][2]
        row = call.job_id if kind == "procrastinatejob" and call else getattr(rows.get(kind), "pk", None)
        is_of_claimer = pattern.endswith(("/return/", "/verdict/"))
        return {
            "object_id": row,
            "id": row,
            "conversation_id": self.belongings.conversation.pk,
            "review_id": (self.reviews.claimed if is_of_claimer else self.reviews.waiting).pk,
            "pk": self._pk(pattern),
            "number": self.exports.part.pk,
            "hold_id": self.retention.hold.pk,
            "run_id": self.retention.erasure.pk,
            "person_id": self.people["owner"].pk,
            "content_type_id": 1,
            "admin/(?P<url>.*)$": "/admin/nowhere/",
        } | ({pattern: "/admin/conversations/"} if "app_label" in pattern else {})

    def _pk(self, pattern: str) -> object:
        """Return what is meant where an address says no more than `pk`."""
        if pattern.startswith("admin/exports/"):
            return self.exports.part.export_id
        if pattern.startswith("account/tokens/"):
            return Token.objects.filter(owner=self.people["owner"]).earliest("created_at").pk
        rows = {
            "batches": self.batch,
            "webhookdelivery": self.delivery,
            "webhookendpoint": self.delivery.endpoint,
            "bulkexport": self.exports.running,
            "languagemodel": self._office_rows["languagemodel"],
            "assistant": self.assistant,
        }
        return next((row for kind, row in rows.items() if f"/{kind}/" in pattern), self.belongings.picture).pk


def _make_batch(owner: User, assistant: Assistant) -> Batch:
    batch = Batch.objects.create(owner=owner, assistant=assistant, name=SECRET, total=1)
    BatchItem.objects.create(batch=batch, number=1, custom_id="one", prompt=SECRET)
    return batch


def make_world() -> World:
    """Make everybody and everything."""
    make_model()
    assistant = make_assistant()
    people = {
        "owner": make_user(password=PASSWORD),
        "stranger": make_user(password=PASSWORD),
        "staff": make_user(password=PASSWORD, is_staff=True),
        "reviewer": make_user(password=PASSWORD, is_staff=True),
        "administrator": make_user(password=PASSWORD, is_staff=True, is_superuser=True),
        "deactivated": make_user(password=PASSWORD),
    }
    UsageDay.objects.create(owner=people["owner"], day=timezone.localdate(), model=make_model(), calls=1)
    people["reviewer"].user_permissions.add(Permission.objects.get(codename="review_conversation"))
    make_token(owner=people["owner"], name="Reports", scopes=["read"])
    group = Group.objects.create(name="Readers")
    belongings = Belongings.of(people["owner"], assistant)
    world = World(
        people,
        assistant,
        belongings,
        Belongings.of(people["deactivated"], assistant),
        group,
        UsageLimit.objects.create(group=group, measure="money", period="month", amount=1_000),
        Exports.of(people["administrator"], SECRET),
        Reviews.of(belongings.conversation, belongings.running.conversation, people["reviewer"]),
        Retention.of(people["stranger"], people["administrator"]),
        _make_batch(people["owner"], assistant),
        make_webhook(Event.objects.earliest("seq")),
    )
    world.sign_in_all()
    people["deactivated"].is_active = False
    people["deactivated"].save(update_fields=["is_active"])
    return world

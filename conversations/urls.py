"""Addresses of pages, fragments and streams."""

from django.urls import path

from conversations.live.download import download, sealed_document, thumbnail
from conversations.live.exports import export, export_many
from conversations.live.stream import stream
from conversations.views import (
    attachments,
    branches,
    concluding,
    conversations,
    feedback,
    finding,
    health,
    hiding,
    messages,
    rail,
    usage,
)

app_name = "conversations"
urlpatterns = [
    path("", conversations.index, name="index"),
    path("conversations/", conversations.conversation_list, name="list"),
    path("conversations/<uuid:pk>/", conversations.detail, name="detail"),
    path("conversations/find/", finding.find, name="find"),
    path("conversations/deleted/", finding.deleted, name="deleted"),
    path("conversations/rail/", rail.rail, name="rail"),
    path("conversations/<uuid:pk>/pin/", hiding.pin, name="pin"),
    path("conversations/<uuid:pk>/hide/", hiding.hide, name="hide"),
    path("conversations/<uuid:pk>/restore/", hiding.restore, name="restore"),
    path("conversations/export/", export_many, name="export_many"),
    path("conversations/<uuid:pk>/export/", export, name="export"),
    path("conversations/<uuid:pk>/messages/", messages.send, name="send"),
    path("conversations/<uuid:pk>/heading/", conversations.heading, name="heading"),
    path("conversations/<uuid:pk>/rename/", conversations.rename, name="rename"),
    path("conversations/<uuid:pk>/conclude/", concluding.conclude, name="conclude"),
    path("conversations/<uuid:pk>/seal/", concluding.seal, name="seal"),
    path("conversations/<uuid:pk>/sealed/", sealed_document, name="sealed_document"),
    path("conversations/<uuid:pk>/continue/", concluding.continue_, name="continue_as_new"),
    path("conversations/<uuid:pk>/seen/", feedback.seen, name="seen"),
    path("messages/<uuid:pk>/", messages.message, name="message"),
    path("messages/<uuid:message_id>/stream/", stream, name="stream"),
    path("messages/<uuid:pk>/stop/", messages.stop, name="stop"),
    path("messages/<uuid:pk>/retry/", branches.retry, name="retry"),
    path("messages/<uuid:pk>/edit/", branches.edit, name="edit"),
    path("messages/<uuid:pk>/continue/", branches.continue_, name="continue"),
    path("messages/<uuid:pk>/feedback/", feedback.rate, name="feedback"),
    path("attachments/", attachments.attach, name="attach"),
    path("attachments/<uuid:pk>/", download, name="attachment"),
    path("attachments/<uuid:pk>/thumbnail/", thumbnail, name="thumbnail"),
    path("attachments/<uuid:pk>/remove/", attachments.remove, name="attachment_remove"),
    path("attachments/<uuid:pk>/retry/", attachments.retry, name="attachment_retry"),
    path("usage/", usage.usage, name="usage"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

"""Addresses of pages, fragments and streams."""

from django.urls import path

from conversations.live.download import download, thumbnail
from conversations.live.stream import stream
from conversations.views import attachments, conversations, feedback, health, messages

app_name = "conversations"
urlpatterns = [
    path("", conversations.index, name="index"),
    path("conversations/", conversations.conversation_list, name="list"),
    path("conversations/<uuid:pk>/", conversations.detail, name="detail"),
    path("conversations/<uuid:pk>/messages/", messages.send, name="send"),
    path("conversations/<uuid:pk>/heading/", conversations.heading, name="heading"),
    path("conversations/<uuid:pk>/rename/", conversations.rename, name="rename"),
    path("conversations/<uuid:pk>/seen/", feedback.seen, name="seen"),
    path("messages/<uuid:pk>/", messages.message, name="message"),
    path("messages/<uuid:message_id>/stream/", stream, name="stream"),
    path("messages/<uuid:pk>/stop/", messages.stop, name="stop"),
    path("messages/<uuid:pk>/retry/", messages.retry, name="retry"),
    path("messages/<uuid:pk>/feedback/", feedback.rate, name="feedback"),
    path("attachments/", attachments.attach, name="attach"),
    path("attachments/<uuid:pk>/", download, name="attachment"),
    path("attachments/<uuid:pk>/thumbnail/", thumbnail, name="thumbnail"),
    path("attachments/<uuid:pk>/remove/", attachments.remove, name="attachment_remove"),
    path("attachments/<uuid:pk>/retry/", attachments.retry, name="attachment_retry"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

"""Addresses of the API's resources, below /api/v1/; each with a slash at its end."""

from django.urls import URLPattern, URLResolver, path

from conversations.api import problems  # noqa: F401 (registers how refusals are told)
from conversations.api.live import chatting, files, sending, streaming
from conversations.api.views import attachments, catalogue, conversations, feedback, life, messages, usage

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", catalogue.IndexView.as_view(), name="index"),
    path("me/", catalogue.MeView.as_view(), name="me"),
    path("assistants/", catalogue.AssistantsView.as_view(), name="assistants"),
    path("assistants/<slug:slug>/", catalogue.AssistantView.as_view(), name="assistant"),
    path("models/", catalogue.ModelsView.as_view(), name="models"),
    path("models/<path:name>/", catalogue.ModelView.as_view(), name="model"),
    path("conversations/", sending.ConversationsView.as_view(), name="conversations"),
    path("conversations/<uuid:pk>/", conversations.ConversationView.as_view(), name="conversation"),
    path("conversations/<uuid:pk>/messages/", sending.ConversationMessagesView.as_view(), name="thread"),
    path("conversations/<uuid:pk>/restore/", life.RestoreView.as_view(), name="restore"),
    path("conversations/<uuid:pk>/conclude/", life.ConcludeView.as_view(), name="conclude"),
    path("conversations/<uuid:pk>/continue/", life.ContinueView.as_view(), name="continue"),
    path("conversations/<uuid:pk>/document/", files.DocumentView.as_view(), name="document"),
    path("messages/", messages.MessagesView.as_view(), name="messages"),
    path("messages/<uuid:pk>/", messages.MessageView.as_view(), name="message"),
    path("messages/<uuid:pk>/stream/", streaming.StreamView.as_view(), name="stream"),
    path("messages/<uuid:pk>/stop/", sending.StopView.as_view(), name="stop"),
    path("messages/<uuid:pk>/retry/", sending.RetryView.as_view(), name="retry"),
    path("messages/<uuid:pk>/edit/", sending.EditView.as_view(), name="edit"),
    path("messages/<uuid:pk>/continue/", sending.ContinueView.as_view(), name="continue_answer"),
    path("messages/<uuid:pk>/feedback/", feedback.FeedbackView.as_view(), name="rating"),
    path("chat/", chatting.ChatView.as_view(), name="chat"),
    path("feedback/", feedback.FeedbackListView.as_view(), name="feedback"),
    path("attachments/", attachments.AttachmentsView.as_view(), name="attachments"),
    path("attachments/<uuid:pk>/", attachments.AttachmentView.as_view(), name="attachment"),
    path("attachments/<uuid:pk>/content/", files.AttachmentContentView.as_view(), name="content"),
    path("attachments/<uuid:pk>/retry/", attachments.AttachmentRetryView.as_view(), name="attachment_retry"),
    path("usage/", usage.UsageView.as_view(), name="usage"),
]

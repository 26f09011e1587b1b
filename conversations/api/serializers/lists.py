"""What lists answer: each page is described once, whichever addresses give it."""

from __future__ import annotations

from conversations.api.serializers.attachments import AttachmentSerializer, FeedbackSerializer
from conversations.api.serializers.catalogue import AssistantSerializer, ModelSerializer
from conversations.api.serializers.conversations import ConversationSerializer
from conversations.api.serializers.messages import MessageSerializer
from rest.schema import page_of

AssistantPage = page_of(AssistantSerializer)
AttachmentPage = page_of(AttachmentSerializer)
ConversationPage = page_of(ConversationSerializer)
FeedbackPage = page_of(FeedbackSerializer)
MessagePage = page_of(MessageSerializer)
ModelPage = page_of(ModelSerializer)

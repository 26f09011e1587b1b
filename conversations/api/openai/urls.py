"""Addresses of the OpenAI-compatible door, below /v1/; each without a slash at its end."""

from django.urls import URLPattern, URLResolver, path

from conversations.api.openai.live import views

app_name = "openai"
urlpatterns: list[URLPattern | URLResolver] = [
    path("models", views.ModelsView.as_view(), name="models"),
    path("models/<path:name>", views.ModelView.as_view(), name="model"),
    path("chat/completions", views.ChatCompletionsView.as_view(), name="chat_completions"),
    path("responses", views.ResponsesView.as_view(), name="responses"),
    path("responses/<str:pk>", views.ResponseView.as_view(), name="response"),
    path("responses/<str:pk>/cancel", views.CancelView.as_view(), name="cancel"),
]

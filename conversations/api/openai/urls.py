"""Addresses of the OpenAI-compatible door, below /v1/; each without a slash at its end."""

from django.urls import URLPattern, URLResolver

app_name = "openai"
urlpatterns: list[URLPattern | URLResolver] = []

"""Addresses of the API's resources, below /api/v1/; each with a slash at its end."""

from django.urls import URLPattern, URLResolver

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = []

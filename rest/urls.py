"""Addresses of the contract."""

from django.urls import URLPattern, URLResolver

app_name = "rest"
urlpatterns: list[URLPattern | URLResolver] = []

"""Addresses of pages, fragments and streams."""

from django.urls import URLPattern

app_name = "conversations"
urlpatterns: list[URLPattern] = []

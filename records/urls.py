"""Addresses of the back office beside Django's admin, and of what people see of it."""

from django.urls import URLPattern

app_name = "records"
urlpatterns: list[URLPattern] = []

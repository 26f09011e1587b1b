"""Addresses. Those of the conversations are in conversations/urls.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("", include("conversations.urls")),
]
handler500 = "conversations.views.faults.server_error"

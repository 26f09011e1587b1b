"""Addresses. Those of the apps are in their urls.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("records.urls")),  # some below admin/, where the admin's own would swallow them
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("api/", include("rest.urls")),
    path("api/v1/", include("conversations.api.urls")),
    path("api/v1/", include("batches.urls")),
    path("api/v1/", include("webhooks.urls")),
    path("v1/", include("conversations.api.openai.urls")),
    path("", include("conversations.urls")),
]
handler500 = "conversations.views.faults.server_error"

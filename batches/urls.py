"""Addresses of batches, below those of the API."""

from django.urls import path

from batches.live.results import BatchResultView
from batches.views import BatchCancelView, BatchesView, BatchResumeView, BatchView

app_name = "batches"
urlpatterns = [
    path("batches/", BatchesView.as_view(), name="list"),
    path("batches/<uuid:pk>/", BatchView.as_view(), name="one"),
    path("batches/<uuid:pk>/cancel/", BatchCancelView.as_view(), name="cancel"),
    path("batches/<uuid:pk>/resume/", BatchResumeView.as_view(), name="resume"),
    path("batches/<uuid:pk>/result/", BatchResultView.as_view(), name="result"),
]

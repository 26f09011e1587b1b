"""Addresses of the feed of events, below those of the API."""

from django.urls import path

from webhooks.live.feed import EventsView

app_name = "webhooks"
urlpatterns = [path("events/", EventsView.as_view(), name="events")]

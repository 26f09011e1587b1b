"""Addresses of the contract, below /api/."""

from django.urls import path

from rest.views import contract

app_name = "rest"
urlpatterns = [
    path("schema/", contract.SchemaView.as_view(), name="schema"),
    path("docs/", contract.swagger, name="docs"),
    path("docs/redoc/", contract.redoc, name="redoc"),
]

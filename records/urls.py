"""Addresses of the back office beside Django's admin, and of what people see of it."""

from django.contrib import admin
from django.urls import path

from records.views.account import account
from records.views.sitting import sitting_page

app_name = "records"
urlpatterns = [
    path("account/", account, name="account"),
    path("admin/reason/", admin.site.admin_view(sitting_page), name="sitting"),
]

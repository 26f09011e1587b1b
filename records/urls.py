"""Addresses of the back office beside Django's admin, and of what people see of it."""

from django.contrib import admin
from django.urls import path

from records.live.export_downloads import archive, part
from records.live.files import file, thumbnail
from records.views.account import account
from records.views.sitting import sitting_page
from records.views.tokens import token_revoke, tokens

app_name = "records"
urlpatterns = [
    path("account/", account, name="account"),
    path("account/tokens/", tokens, name="tokens"),
    path("account/tokens/<uuid:pk>/revoke/", token_revoke, name="token_revoke"),
    path("admin/reason/", admin.site.admin_view(sitting_page), name="sitting"),
    path("admin/files/<uuid:pk>/", file, name="file"),
    path("admin/files/<uuid:pk>/small/", thumbnail, name="thumbnail"),
    path("admin/exports/<uuid:pk>/parts/<int:number>/", part, name="export_part"),
    path("admin/exports/<uuid:pk>/archive/", archive, name="export_archive"),
]

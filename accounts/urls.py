"""The pages of allauth that we use; there is no sign-up."""

from allauth.account import views
from django.urls import path
from django.views.decorators.cache import never_cache

from accounts.views import password_change

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", never_cache(views.logout), name="account_logout"),
    path("password/change/", never_cache(password_change), name="account_change_password"),
]

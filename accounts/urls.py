"""The pages of allauth that we use; there is no sign-up."""

from allauth.account import views
from django.urls import path
from django.views.decorators.cache import never_cache

from accounts.company.views import company_callback, company_login
from accounts.views import SignIn, password_change

urlpatterns = [
    path("login/", SignIn.as_view(), name="account_login"),
    path("logout/", never_cache(views.logout), name="account_logout"),
    path("company/login/", company_login, name="company_login"),
    path("company/callback/", company_callback, name="company_callback"),
    path("password/change/", never_cache(password_change), name="account_change_password"),
]

"""The page that asks for a reason."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from records import sitting
from records.forms import SittingForm


def sitting_page(request: HttpRequest) -> HttpResponse:
    """Take the reason for which this person is going to read, and send them on to what they wanted (`next`).

    Where a sitting lasts already, its reason is shown, and another one begins another sitting. Raises PermissionDenied
    for who has no right to read anything of others.
    """
    if not any(request.user.has_perm(right) for right in sitting.RIGHTS):
        raise PermissionDenied
    wanted = request.POST.get("next") or request.GET.get("next", "")
    target = wanted if sitting.is_ours(request, wanted) else reverse("admin:index")
    form = SittingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        sitting.begin(request, form.cleaned_data["reason"])
        return HttpResponseRedirect(target, status=303)
    context = admin.site.each_context(request) | {
        "title": "Why are you reading?",
        "form": form,
        "next": target,
        "present": sitting.reason(request),
    }
    return render(request, "admin/records/sitting.html", context, status=422 if form.is_bound else 200)

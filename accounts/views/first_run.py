"""From an empty installation to one's own workspace."""

from __future__ import annotations

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language, gettext

from accounts.access import (
    SESSION_KEY,
    SSO_KEY,
    is_vouched_for,
    may_make_workspaces,
    memberships_of,
    public,
    signed_in,
)
from accounts.forms.first_run import NewWorkspaceForm, SetupCodeForm, SetupForm
from accounts.models import User
from accounts.services import first_run
from accounts.services.workspaces import create_workspace
from accounts.views.entrance import BACKEND

_login_view = LoginView.as_view()


@public
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign-in as ever; on an installation without anybody who could, the way to set it up."""
    if first_run.is_fresh():
        return redirect("accounts:setup")
    response: HttpResponseBase = _login_view(request)
    if _is_stopped(response):
        response.status_code = 429
    return response


def _is_stopped(response: HttpResponseBase) -> bool:
    """Whether too many failures came before, for this address or from this machine."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    failures = form.errors.as_data().get("__all__", []) if form is not None and form.is_bound else []
    return any(failure.code == "too_many_login_attempts" for failure in failures)


@public
def setup_start(request: HttpRequest) -> HttpResponse:
    """Says where the code is to be found, and takes it. Over once there is a user."""
    if not first_run.is_fresh():
        return redirect("account_login")
    form = SetupCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"].strip().rstrip("/").rpartition("/")[2]
        if first_run.is_valid(code, now=timezone.now()):
            return redirect("accounts:setup_code", code)
        form.add_error("code", gettext("This code is unknown or older than a day. Print a new one."))
    return _quiet(
        render(request, "public/setup_start.html", {"form": form}, status=422 if form.errors else 200)
    )


@public
def setup(request: HttpRequest, code: str) -> HttpResponse:
    """The first owner and workspace, for whoever brings a valid code."""
    now = timezone.now()
    if not first_run.is_valid(code, now=now):
        return redirect("accounts:setup")
    initial = {"language": get_language() if get_language() in ("en", "ko") else "en"}
    form = SetupForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        response = _set_up(request, form, code)
        if response is not None:
            return response
    return _quiet(render(request, "public/setup.html", {"form": form}, status=422 if form.errors else 200))


def _set_up(request: HttpRequest, form: SetupForm, code: str) -> HttpResponse | None:
    values = dict(form.cleaned_data)
    try:
        owner, workspace = first_run.set_up(code=code, slug=form.slug(), now=timezone.now(), **values)
    except first_run.SetupClosed:
        return redirect("account_login")
    except ValidationError as error:
        form.add_error(None, error)
        return None
    login(request, owner, backend=BACKEND)
    request.session.pop(SSO_KEY, None)
    return _enter(request, owner, workspace.pk)


def _enter(request: HttpRequest, user: User, workspace_id: int) -> HttpResponse:
    request.session[SESSION_KEY] = workspace_id
    response = redirect("accounts:welcome")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language)
    return response


@signed_in
def new_workspace(request: HttpRequest) -> HttpResponse:
    """One more workspace, where the installation's settings let this person make one."""
    user = request.user
    if (
        not isinstance(user, User)
        or is_vouched_for(request)
        or not may_make_workspaces(memberships_of(request))
    ):
        raise PermissionDenied
    form = NewWorkspaceForm(request.POST or None, initial={"language": user.language})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            with transaction.atomic():
                workspace = create_workspace(
                    slug=form.slug(),
                    name=values["workspace_name"],
                    owner=user,
                    acting_user=user,
                    time_zone=values["time_zone"],
                    language=values["language"],
                    report_currency=values["currency"],
                )
        except (ValidationError, IntegrityError):
            form.add_error(None, gettext("That did not work: the name was taken at this moment. Try again."))
        else:
            messages.success(request, gettext("“%(name)s” is yours.") % {"name": workspace.name})
            return _enter(request, user, workspace.pk)
    return _quiet(
        render(request, "public/new_workspace.html", {"form": form}, status=422 if form.errors else 200)
    )


def _quiet(response: HttpResponse) -> HttpResponse:
    """Kept by no cache. The address may hold the code; the site's policy tells it to no other site, and
    "no-referrer" would make browsers send `Origin: null`, which no form survives."""
    add_never_cache_headers(response)
    response["Cache-Control"] += ", no-store"
    return response

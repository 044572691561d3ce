"""Coming in: invitations, one's own profile, the workspace switcher."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from accounts.access import (
    SESSION_KEY,
    SSO_KEY,
    WorkspaceRequest,
    is_vouched_for,
    memberships_of,
    public,
    requires,
    signed_in,
)
from accounts.forms.settings import JoinForm, ProfileForm
from accounts.models import IdentityProvider, Invitation, User, Workspace
from accounts.queries.sign_in import is_connected
from accounts.services import invitations
from accounts.views.sso import towards
from cs_platform.lib.scoping import workspace_scope
from cs_platform.lib.signing import parse_credential

BACKEND = "django.contrib.auth.backends.ModelBackend"


@public
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Join a workspace: a new user chooses a name and a password, a known one signs in first."""
    credential = parse_credential(token)
    workspace = Workspace.objects.filter(public_id=credential.workspace).first() if credential else None
    if credential is None or workspace is None:
        return _no_such_link(request)
    with workspace_scope(workspace.pk):
        found = invitations.find_invitation(credential=credential, now=timezone.now())
        try:
            response = _join(request, found) if found else _no_such_link(request)
        except invitations.NotOpen:
            response = _no_such_link(request)
    add_never_cache_headers(response)
    response["Cache-Control"] += ", no-store"
    # The address is the key; other sites never get it. "no-referrer" would turn the form's origin into "null".
    response["Referrer-Policy"] = "same-origin"
    return response


def _no_such_link(request: HttpRequest) -> HttpResponse:
    return render(request, "public/no_such_link.html", status=404)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    known = User.objects.filter(email__iexact=found.email).exists()
    form = None
    if isinstance(request.user, AnonymousUser) and not known:
        form = JoinForm(
            request.POST or None,
            email=found.email,
            initial={"language": get_language() or found.workspace.language},
        )
        if request.method == "POST" and form.is_valid():
            user = User.objects.create_user(
                found.email,
                form.cleaned_data["password"],
                name=form.cleaned_data["name"],
                language=form.cleaned_data["language"],
            )
            return _enter(request, found, user)
    elif request.method == "POST" and is_vouched_for(request):
        messages.error(request, gettext("Sign out and sign in with your password to join another workspace."))
    elif request.method == "POST" and isinstance(request.user, User):
        try:
            return _enter(request, found, request.user)
        except invitations.NotForYou:
            messages.error(
                request, gettext("This invitation is for another address. Sign out and sign in with it.")
            )
    context = {"invitation": found, "form": form, "known": known, "workspace": found.workspace}
    return render(
        request, "public/invitation.html", context, status=422 if form is not None and form.errors else 200
    )


def _enter(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    invitations.accept(invitation=found, user=user, now=timezone.now())
    if request.user != user:
        login(request, user, backend=BACKEND)
        request.session.pop(SSO_KEY, None)
    request.session[SESSION_KEY] = found.workspace.pk
    response = redirect("/")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language)
    return response


@requires("settings.view")
def profile(request: WorkspaceRequest) -> HttpResponse:
    """One's own name, language and time zone."""
    user = request.user
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Saved."))
        saved = redirect("accounts:profile")
        saved.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language)
        return saved
    workspace, provider = (
        request.membership.workspace,
        IdentityProvider.objects.filter(is_enabled=True).first(),
    )
    context = {
        "form": form,
        "provider": provider,
        "is_connected": provider is not None and is_connected(user.pk, workspace),
        "is_vouched_for": is_vouched_for(request),
        "connect_url": reverse("accounts:sso_login", args=[workspace.public_id.hex]),
    }
    response = render(request, "settings/profile.html", context, status=422 if form.errors else 200)
    return towards(response, provider.authorize_origin) if provider else response


@require_POST
@signed_in
def switch_workspace(request: HttpRequest) -> HttpResponse:
    """Choose among one's own workspaces; a foreign id is as unknown as a missing one."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    try:
        wanted = UUID(request.POST.get("workspace", ""))
    except ValueError:
        raise Http404 from None
    for membership in memberships_of(request):
        if membership.workspace.public_id == wanted:
            request.session[SESSION_KEY] = membership.workspace.pk
            return redirect("/")
    raise Http404

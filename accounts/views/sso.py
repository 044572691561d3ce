"""Sign-in by the workspace's own OpenID provider: the door, the way out to it and the way back."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect import views as allauth_views
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from requests import RequestException

from accounts.access import public
from accounts.forms.sign_in import WorkspaceNameForm
from accounts.models import Workspace
from accounts.openid import WorkspaceOpenID
from accounts.services.identity_providers import open_provider, provider_key, workspace_named


@public
def sso(request: HttpRequest) -> HttpResponse:
    """Which workspace? Its short name leads on."""
    form = WorkspaceNameForm(request.GET if "workspace" in request.GET else None)
    if form.is_valid():
        return redirect("accounts:sso_workspace", form.cleaned_data["workspace"])
    return _quiet(render(request, "sso/start.html", {"form": form}, status=422 if form.errors else 200))


@public
def sso_workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """The button. A name that does not exist and one without a provider look alike."""
    workspace = Workspace.objects.filter(slug=slug).first()
    provider = open_provider(workspace) if workspace else None
    if workspace is None or provider is None:
        return _quiet(render(request, "sso/unknown.html", {"slug": slug}, status=404))
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    context = {
        "provider_name": provider.name,
        "workspace_name": workspace.name,
        "login_url": reverse("accounts:sso_login", args=[provider_key(workspace)]),
        "next": wanted if is_ours else "",
    }
    return towards(_quiet(render(request, "sso/workspace.html", context)), provider.authorize_origin)


def towards(response: HttpResponse, origin: str) -> HttpResponse:
    """Lets a form of this one page end at the provider: browsers hold redirects to the policy, too."""
    if origin:
        response._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    return response


@public
def sso_login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Off to the provider; a POST of ours only."""
    if workspace_named(provider_id) is None:
        return _plain(allauth_views.login, request, provider_id)
    if request.method != "POST":
        workspace = workspace_named(provider_id)
        return redirect("accounts:sso_workspace", workspace.slug) if workspace else redirect("accounts:sso")
    return _carry_out(OAuth2LoginView, request, provider_id)


@public
def sso_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the provider, with a code or a refusal."""
    if workspace_named(provider_id) is None:
        return _plain(allauth_views.callback, request, provider_id)
    return _quiet(_carry_out(OAuth2CallbackView, request, provider_id))


def _carry_out(view: Any, request: HttpRequest, provider_id: str) -> Any:
    provider = get_adapter(request).get_provider(request, provider=provider_id)
    if provider.app.settings.get("closed"):
        raise Http404
    issuer = request.GET.get(
        "iss"
    )  # RFC 9207: an answer of another server is refused before its code is used
    if issuer is not None and issuer.rstrip("/") != provider.app.settings["server_url"]:
        return render_authentication_error(request, provider)
    try:
        return view.adapter_view(WorkspaceOpenID(request, provider_id))(request)
    except (OAuth2Error, RequestException) as error:
        return render_authentication_error(request, provider, exception=error)


def _plain(view: Any, request: HttpRequest, provider_id: str) -> Any:
    """A provider that the installation brings along, if it does; else 404."""
    return view(request, provider_id)


def _quiet(response: Any) -> Any:
    add_never_cache_headers(response)
    response["Cache-Control"] += ", no-store" if "no-store" not in response["Cache-Control"] else ""
    return response

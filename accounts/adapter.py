"""Sign-in by allauth: nobody signs up unasked; people come in by invitation, or by their workspace's provider.

A sign-in by OpenID Connect is valid in the provider's own workspace only (`accounts/access.py` honours
`SSO_KEY`), and never finds a login by its mail address.
"""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any, NoReturn

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from anymail.exceptions import AnymailError
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import SESSION_KEY, SSO_KEY
from accounts.gateways.mail import MailAway
from accounts.models import User, Workspace
from accounts.services import identity_providers as providers
from cs_platform.lib.guarded_session import guarded_session
from cs_platform.lib.scoping import workspace_scope


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are none: the mail address is the name."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Within the request, for whoever asks waits for it. Raises MailAway where the mail server does not take it:
        the page then says "try again", the same for known and unknown addresses."""
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, AnymailError, OSError) as error:
            raise MailAway(type(error).__name__) from None

    def is_safe_url(self, url: str | None) -> bool:
        """A way back stays on the host that was asked: allauth would lead to any of ALLOWED_HOSTS,
        also to the visitor's own machine."""
        request = self.request
        if request is None or not url:
            return False
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Before there is a session of theirs, and on every way in: who vouched for them."""
        _bind(request, kwargs.get("signal_kwargs"))
        return super().pre_login(request, user, **kwargs)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Again after a second factor, which may have taken a new session."""
        _bind(request, kwargs.get("signal_kwargs"))
        return super().post_login(request, user, **kwargs)


def _bind(request: HttpRequest, signal_kwargs: dict[str, Any] | None) -> None:
    sociallogin = (signal_kwargs or {}).get("sociallogin")
    workspace = providers.workspace_named(sociallogin.account.provider) if sociallogin else None
    if workspace is None:
        request.session.pop(SSO_KEY, None)
    else:
        request.session[SSO_KEY] = request.session[SESSION_KEY] = workspace.pk


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def get_requests_session(self) -> requests.Session:
        return guarded_session()

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        from accounts.openid import WorkspaceProvider  # allauth's provider asks for this adapter

        workspace = providers.workspace_named(provider)
        if workspace is None:
            return super().get_provider(request, provider, client_id=client_id)
        return WorkspaceProvider(request, app=_app(workspace))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return getattr(sociallogin, "admission", None) is not None

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = sociallogin.user
        user.email = str(data.get("email") or "").lower()
        user.name = str(data.get("name") or "")[:200]
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        workspace = providers.workspace_named(sociallogin.account.provider)
        if workspace is None:
            return
        with workspace_scope(workspace.pk):
            if sociallogin.state.get("process") == "connect":
                self._check_connect(request, workspace)
            elif sociallogin.is_existing:
                if not providers.is_member(sociallogin.user):
                    _refuse(request, "no_member", workspace)
            else:
                self._check_newcomer(request, sociallogin, workspace)

    def _check_connect(self, request: HttpRequest, workspace: Workspace) -> None:
        """Only who came in by their own means, and is a member, takes the provider's word for themselves."""
        user = request.user
        if not isinstance(user, User) or SSO_KEY in request.session or not providers.is_member(user):
            _refuse(request, "no_connect", workspace)

    def _check_newcomer(self, request: HttpRequest, sociallogin: Any, workspace: Workspace) -> None:
        address = next(iter(sociallogin.email_addresses), None)
        try:
            sociallogin.admission = providers.admission_of(
                workspace=workspace,
                email=address.email if address else "",
                is_verified=bool(address and address.verified),
                now=timezone.now(),
            )
        except providers.NotLetIn as refused:
            _refuse(request, refused.reason, workspace)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """The login and its membership at once, or neither."""
        workspace = providers.workspace_named(sociallogin.account.provider)
        if workspace is None:
            return super().save_user(request, sociallogin, form)
        sociallogin.user.language = workspace.language
        with transaction.atomic(), workspace_scope(workspace.pk):
            user = super().save_user(request, sociallogin, form)
            providers.let_in(user=user, admission=sociallogin.admission, now=timezone.now())
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("accounts:profile")


def _app(workspace: Workspace) -> SocialApp:
    """Never saved: allauth's form of the workspace's provider. Closed where members may not use one."""
    provider = providers.open_provider(workspace)
    app = SocialApp(provider="openid_connect", provider_id=providers.provider_key(workspace))
    app.settings = {"closed": True, "hidden": True}
    if provider is not None:
        app.name, app.client_id, app.secret = provider.name, provider.client_id, provider.client_secret
        app.settings = {"server_url": provider.issuer, "oauth_pkce_enabled": True}
    return app


def _refuse(request: HttpRequest, reason: str, workspace: Workspace) -> NoReturn:
    context = {"reason": reason, "workspace_name": workspace.name, "workspace_slug": workspace.slug}
    raise ImmediateHttpResponse(render(request, "sso/refused.html", context, status=403))

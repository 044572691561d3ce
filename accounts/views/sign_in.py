"""Settings: second factor of the members, the workspace's own OpenID provider."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import (
    WorkspaceRequest,
    has_second_factor,
    is_vouched_for,
    needs_second_factor,
    requires,
)
from accounts.forms.sign_in import IdentityProviderForm, MfaPolicyForm
from accounts.gateways.openid import Description, OpenIDError, describe
from accounts.models import IdentityProvider
from accounts.queries.sign_in import member_factors
from accounts.services import sign_in as service
from accounts.services.identity_providers import provider_key, save_provider


@requires("settings.manage")
def sign_in_settings(request: WorkspaceRequest) -> HttpResponse:
    """Who must have a second factor, who has none yet, and how the provider stands."""
    workspace, member = request.membership.workspace, request.membership
    asked = request.POST.get("mfa_policy", "")
    binds_me = (
        needs_second_factor(asked, member.role)
        and not is_vouched_for(request)
        and not has_second_factor(request.user)
    )
    form = MfaPolicyForm(
        request.POST or None, must_confirm=binds_me, initial={"mfa_policy": workspace.mfa_policy}
    )
    if request.method == "POST" and form.is_valid() and _save_policy(request, form):
        return redirect("accounts:sign_in_settings")
    people = member_factors(workspace)
    context = {
        "form": form,
        "people": people,
        "without": [p for p in people if not p.has_factor],
        "bound_without": [
            p
            for p in people
            if not p.has_factor and needs_second_factor(workspace.mfa_policy, p.membership.role)
        ],
        "warns_me": binds_me,
        "provider": IdentityProvider.objects.first(),
        "start_url": settings.BASE_URL + reverse("accounts:sso_workspace", args=[workspace.slug]),
    }
    return render(request, "settings/sign_in.html", context, status=422 if form.errors else 200)


def _save_policy(request: WorkspaceRequest, form: MfaPolicyForm) -> bool:
    if "confirm" in form.fields and not form.cleaned_data["confirm"]:
        form.add_error(
            None,
            gettext(
                "Nothing was changed yet. You have no second factor yourself: with this rule you are led to set"
                " one up before you see anything else. Confirm below that this is what you want."
            ),
        )
        return False
    try:
        service.set_mfa_policy(
            workspace=request.membership.workspace,
            policy=form.cleaned_data["mfa_policy"],
            acting_member=request.membership,
        )
    except service.OwnersOnly:
        form.add_error("mfa_policy", gettext("Only an owner makes this rule weaker."))
        return False
    messages.success(request, gettext("Saved. The rule holds from everybody's next page on."))
    return True


@requires("settings.manage")
def identity_provider(request: WorkspaceRequest) -> HttpResponse:
    """The provider's settings; the button "test" asks it without saving anything."""
    workspace = request.membership.workspace
    form = IdentityProviderForm(request.POST or None, instance=IdentityProvider.objects.first())
    found = None
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            found = _test(form)
        elif _save(request, form):
            return redirect("accounts:sign_in_settings")
    context = {
        "form": form,
        "found": found,
        "redirect_address": settings.BASE_URL
        + reverse("accounts:sso_callback", args=[provider_key(workspace)]),
        "start_url": settings.BASE_URL + reverse("accounts:sso_workspace", args=[workspace.slug]),
    }
    return render(request, "settings/identity_provider.html", context, status=422 if form.errors else 200)


def _test(form: IdentityProviderForm) -> Description | None:
    try:
        return describe(form.cleaned_data["issuer"])
    except OpenIDError as error:
        form.add_error("issuer", words_of(error))
        return None


def _save(request: WorkspaceRequest, form: IdentityProviderForm) -> bool:
    try:
        save_provider(provider=form.save(commit=False), acting_user=request.user)
    except OpenIDError as error:
        form.add_error("issuer", words_of(error))
        form.add_error(
            None, gettext("Nothing was saved: a provider that does not answer would lock your team out.")
        )
        return False
    messages.success(request, gettext("Saved."))
    return True


def words_of(error: OpenIDError) -> str:
    """What is wrong with the provider, for who sets it up. Never what its server answered."""
    words = {
        "other_issuer": gettext("The document there names another issuer: %(detail)s"),
        "field_missing": gettext("The document there lacks “%(detail)s”."),
        "no_keys": gettext("The provider publishes no key that could sign."),
        "status": gettext("The address answered with status %(detail)s instead of its description."),
        "not_json": gettext("What the address answered is no description of a provider."),
        "unreachable": gettext("Nobody answers at this address."),
        "timeout": gettext("The address took too long to answer."),
        "tls_failed": gettext("The certificate of this address is not valid."),
        "address_not_public": gettext("This address does not lead to the public internet."),
        "not_https": gettext("The provider must be reached over HTTPS."),
    }
    text = words.get(error.code, gettext("The address gave no usable answer."))
    return text % {"detail": error.detail}


@require_POST
@requires("settings.view")
def provider_disconnection(request: WorkspaceRequest) -> HttpResponse:
    """Take away one's own link to the provider; who has no password would be locked out."""
    if is_vouched_for(request):
        messages.error(request, gettext("Sign in with your password to change this."))
    elif not request.user.has_usable_password():
        messages.error(request, gettext("Set a password first, else you could not come in any more."))
    else:
        service.disconnect(user=request.user, workspace=request.membership.workspace)
        messages.success(request, gettext("Disconnected."))
    return redirect("accounts:profile")

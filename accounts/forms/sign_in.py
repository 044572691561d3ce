"""How people come in: second factor, the workspace's OpenID provider."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import IdentityProvider, MfaPolicy
from cs_platform.lib.http import OutgoingError, check_url

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class MfaPolicyForm(forms.Form):
    mfa_policy = forms.ChoiceField(
        label=_("Who must have a second factor"), choices=MfaPolicy.choices, widget=forms.RadioSelect
    )
    confirm = forms.BooleanField(required=False, label=_("I have none myself and will set one up next"))

    def __init__(self, *args: Any, must_confirm: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not must_confirm:
            del self.fields["confirm"]


class IdentityProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    client_secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    domains = forms.CharField(
        label=_("Domains of your team"),
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"spellcheck": "false", "placeholder": "example.com, example.org"}),
        help_text=_("Separated by commas; the part after the @ of mail addresses."),
    )

    class Meta:
        model = IdentityProvider
        fields = (
            "name",
            "issuer",
            "client_id",
            "client_secret",
            "domains",
            "joins",
            "newcomer_role",
            "is_enabled",
        )
        labels = {
            "name": _("Name"),
            "issuer": _("Issuer"),
            "client_id": _("Client ID"),
            "joins": _("People of these domains join by themselves"),
            "newcomer_role": _("Role of who joins by themselves"),
            "is_enabled": _("Members may sign in this way"),
        }
        help_texts = {
            "name": _("As your team calls it, for example “Okta”; stands on the button."),
            "issuer": _("The address of your provider, for example https://login.example.com."),
            "joins": _("Otherwise only who has an open invitation comes in."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is kept is never sent back to a page; empty means as it was.
        self._kept = self.instance.client_secret
        self.initial["client_secret"] = ""
        self.initial["domains"] = ", ".join(self.instance.domains)
        if self._kept:
            self.fields["client_secret"].help_text = _("One is kept, encrypted. Leave empty to keep it.")

    def clean_issuer(self) -> str:
        issuer = str(self.cleaned_data["issuer"]).strip().rstrip("/")
        issuer = issuer.removesuffix("/.well-known/openid-configuration")
        try:
            check_url(issuer)
        except OutgoingError:
            raise forms.ValidationError(_("Give an address that begins with https://.")) from None
        if "?" in issuer or "#" in issuer:
            raise forms.ValidationError(_("An issuer has no ? or # in its address."))
        return issuer

    def clean_client_secret(self) -> str:
        return str(self.cleaned_data["client_secret"]).strip() or self._kept

    def clean_domains(self) -> list[str]:
        words = re.split(r"[\s,;]+", str(self.cleaned_data["domains"]).lower())
        domains = list(dict.fromkeys(word.lstrip("@") for word in words if word))
        for domain in domains:
            if not _DOMAIN.fullmatch(domain):
                raise forms.ValidationError(gettext("“%(text)s” is not a domain.") % {"text": domain[:80]})
        return domains

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("joins") and not data.get("domains") and "domains" not in self.errors:
            self.add_error("domains", _("Name the domains whose people may join by themselves."))
        is_moved = self.instance.pk and data.get("issuer", self.initial["issuer"]) != self.initial["issuer"]
        if is_moved and self._kept and not str(self.data.get("client_secret", "")).strip():
            # The old secret must not be sent to a new address unseen.
            self.add_error("client_secret", _("The issuer is another one: give its client secret."))
        return data


class WorkspaceNameForm(forms.Form):
    """At the door: for which workspace somebody wants to sign in."""

    workspace = forms.SlugField(
        label=_("Short name of the workspace"),
        max_length=63,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autofocus": True}),
        help_text=_("Your admin knows it; it is at the end of the sign-in link of your team."),
    )

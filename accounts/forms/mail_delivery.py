"""Forms of the mail settings."""

from __future__ import annotations

import base64
import binascii

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.gateways.mail_reports import PROVIDERS


class ProviderForm(forms.Form):
    name = forms.ChoiceField(
        label=_("Who sends your mails"),
        choices=lambda: [(p.name, p.label) for p in sorted(PROVIDERS.values(), key=lambda p: str(p.label))],
    )
    secret = forms.CharField(
        label=_("Signing key"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "For Mailgun, MailerSend and Resend: the signing key of the webhook there. "
            "For all others leave it empty; a password is made for you."
        ),
    )

    def clean(self) -> dict[str, str]:
        data = super().clean() or {}
        provider = PROVIDERS.get(data.get("name", ""))
        secret = data.get("secret", "").strip()
        if provider and provider.proof == "signature":
            if not secret:
                self.add_error("secret", _("Paste the signing key; without it anybody could report bounces."))
            elif not secret.isascii() or (provider.name == "resend" and not _is_svix(secret)):
                self.add_error("secret", _("This is not a signing key of this provider."))
        return {**data, "secret": secret}


def _is_svix(secret: str) -> bool:
    try:
        return bool(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        return False


class SuppressionForm(forms.Form):
    address = forms.EmailField(label=_("Mail address"), max_length=254)
    note = forms.CharField(label=_("Why"), max_length=300, required=False)
    is_total = forms.BooleanField(
        label=_("Stop receipts and legal notices too"),
        required=False,
        help_text=_(
            "Only if the address belongs to somebody else; otherwise people miss what they must know."
        ),
    )

"""Forms of the connection to Stripe. Secrets are never written back into a page."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _

_KEY = re.compile(r"(rk|sk)_(test|live)_[A-Za-z0-9_]{4,240}\Z")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{6,200}\Z")
_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})


class _Marked(forms.Form):
    """The first field with an error has the focus, so that the page opens where it stands."""

    def point_at_error(self) -> None:
        for name in self.fields:
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                return


class KeyForm(_Marked):
    """A key; restricted ones are better, secret ones work too."""

    api_key = forms.CharField(
        label=_("Restricted key"),
        max_length=255,
        widget=_PASSWORD,
        help_text=_("Begins with rk_live_ or, for trying out, rk_test_. It is checked at once, kept encrypted and never shown again."),
    )  # fmt: skip

    def clean_api_key(self) -> str:
        key = str(self.cleaned_data["api_key"]).strip()
        if key.startswith("pk_"):
            raise forms.ValidationError(
                _("This is a publishable key, which can read nothing. Make a restricted key.")
            )
        if key.startswith("whsec_"):
            raise forms.ValidationError(
                _("This is the signing secret of the webhook; it belongs into the other field.")
            )
        if key[:8] in ("rk_live_", "rk_test_", "sk_live_", "sk_test_") and not _KEY.match(key):
            raise forms.ValidationError(
                _(
                    "This key is not whole. Stripe shows it once, when it is made: copy it there, or make another."
                )
            )
        if not _KEY.match(key):
            raise forms.ValidationError(
                _("This is no key of Stripe. It begins with rk_live_, rk_test_, sk_live_ or sk_test_.")
            )
        return key  # fmt: skip


class SecretForm(_Marked):
    webhook_secret = forms.CharField(
        label=_("Signing secret"),
        max_length=255,
        widget=_PASSWORD,
        help_text=_("Begins with whsec_. Stripe shows it on the page of the webhook endpoint."),
    )

    def clean_webhook_secret(self) -> str:
        secret = str(self.cleaned_data["webhook_secret"]).strip()
        if secret[:3] in ("rk_", "sk_", "pk_"):
            raise forms.ValidationError(
                _(
                    "This is a key, not the signing secret. The secret stands on the page of the webhook endpoint."
                )
            )
        if secret and not _SECRET.match(secret):
            raise forms.ValidationError(_("This is no signing secret of Stripe. It begins with whsec_."))
        return secret


class ConnectForm(SecretForm, KeyForm):
    """Both at once; the secret may follow later."""

    field_order = ("api_key", "webhook_secret")

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["webhook_secret"].required = False

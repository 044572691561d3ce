"""Forms of the first minutes."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.forms.long_select import LongSelect
from accounts.forms.settings import time_zones
from accounts.models import User, Workspace
from accounts.models.workspaces import LANGUAGES


class SetupCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Set-up code"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class NewWorkspaceForm(forms.Form):
    """What a workspace must know from the start; all but the short name can be changed later."""

    workspace_name = forms.CharField(
        label=_("Name of the workspace"), max_length=200, help_text=_("Usually your company or product.")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        initial="UTC",
        help_text=_("Days begin and end here."),
        widget=LongSelect(attrs={"data-own-zone": ""}),
    )
    currency = forms.CharField(
        label=_("Report currency"),
        max_length=3,
        initial="USD",
        help_text=_("Three letters, for example USD."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if not re.fullmatch("[A-Z]{3}", code):
            raise forms.ValidationError(_("Give the three letters of a currency, for example USD or KRW."))
        return code

    def slug(self) -> str:
        """A short name that is free, from the workspace's name; call when valid."""
        plain = unicodedata.normalize("NFKD", self.cleaned_data["workspace_name"]).encode("ascii", "ignore")
        stem = re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")[:50] or "workspace"
        taken = set(Workspace.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
        names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)


class SetupForm(NewWorkspaceForm):
    """The first owner and their workspace."""

    field_order = ("name", "email", "password", "workspace_name", "time_zone", "currency", "language")
    name = forms.CharField(label=_("Your name"), max_length=200)
    email = forms.EmailField(label=_("Your mail address"), max_length=254)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters."),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        password = values.get("password")
        if password:
            try:
                validate_password(password, User(email=values.get("email", ""), name=values.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values

"""Forms of the settings pages."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.forms.long_select import LongSelect
from accounts.models import ApiKey, Role, User, Workspace
from accounts.models.workspaces import LANGUAGES


@cache
def time_zones() -> list[tuple[str, str]]:
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix"))
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        widget=LongSelect,
        help_text=_("Days begin and end here. After a change all use is counted into days again."),
    )
    horizon_days = forms.IntegerField(
        label=_("Horizon of churn predictions, in days"),
        min_value=7,
        max_value=365,
        help_text=_(
            "A prediction says how likely the last subscription ends within this time. "
            "A change holds from the next training on."
        ),
    )
    night_hour = forms.IntegerField(
        label=_("Hour of the nightly run"), min_value=0, max_value=23, help_text=_("Local hour, 0 to 23.")
    )

    class Meta:
        model = Workspace
        fields = ("name", "time_zone", "language", "report_currency", "horizon_days", "night_hour")
        labels = {
            "name": _("Name"),
            "language": _("Language of mails to your team"),
            "report_currency": _("Report currency"),
        }
        help_texts = {
            "report_currency": _("Three letters, for example USD. Amounts in other currencies need a rate."),
        }

    def clean_report_currency(self) -> str:
        code = str(self.cleaned_data["report_currency"]).strip().upper()
        if len(code) != 3 or not (code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Give the three letters of a currency, for example USD or KRW."))
        return code


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("Mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.CSM)

    def __init__(self, *args: Any, may_make_owners: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_owners:
            self.fields["role"].choices = [c for c in Role.choices if c[0] != Role.OWNER]  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What will use it, for example “website”.")
    )
    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=[
            (ApiKey.Scope.WRITE, _("Write: send events, change data over the REST API; also reads")),
            (ApiKey.Scope.READ, _("Read: fetch accounts, scores and risks")),
            (ApiKey.Scope.PUBLISH, _("Publish: for web pages; only what a signed contact may do")),
        ],
    )


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [("", _("As the workspace")), *time_zones()],
        widget=LongSelect,
        required=False,
    )

    class Meta:
        model = User
        fields = ("name", "language", "time_zone")
        labels = {"name": _("Name"), "language": _("Language")}


class JoinForm(forms.Form):
    """A new user who follows an invitation."""

    name = forms.CharField(label=_("Your name"), max_length=200)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self._email, name=self.data.get("name", "")))
        return password

"""The form of a webhook endpoint."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.registry import webhook_events
from cs_platform.lib.http import OutgoingError, check_url

REFUSALS = {
    "invalid_url": _("This is no web address. It looks like https://example.com/hooks."),
    "not_https": _("Use an address that begins with https://."),
    "credentials_in_url": _("Leave user name and password out of the address; messages are signed instead."),
}


class EndpointForm(forms.Form):
    url = forms.CharField(label=_("Address"), max_length=2000, widget=forms.URLInput)
    description = forms.CharField(label=_("Note"), max_length=200, required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Hears of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing chosen means everything, also what is added later."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = [(event.name, event.label) for event in webhook_events]
        self.fields["event_types"].choices = kinds  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            check_url(url)
        except OutgoingError as error:
            raise forms.ValidationError(REFUSALS[error.code]) from error
        return url

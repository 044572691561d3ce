"""When the workspace works."""

from __future__ import annotations

from datetime import date

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.services.calendar import BadLine, parse_holidays


class CalendarForm(forms.Form):
    working_days = forms.TypedMultipleChoiceField(
        label=_("Working days"),
        coerce=int,
        choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    holidays = forms.CharField(
        label=_("Holidays"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        help_text=_("One per line: the date, then its name, for example 2026-12-25 Christmas Day."),
    )

    def clean_holidays(self) -> dict[date, str]:
        try:
            return parse_holidays(self.cleaned_data["holidays"])
        except BadLine as error:
            raise forms.ValidationError(
                gettext("Line %(number)d does not begin with a date like 2026-12-25: “%(text)s”")
                % {"number": error.number, "text": error.text}
            ) from error

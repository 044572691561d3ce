"""What a CSM says when they put off, close or hand over accounts of the queue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Role
from health.models import ResolutionResult

# Few people are chosen with the arrow keys and Enter; a long list is a select.
MOST_RADIOS = 12
LONGEST_SNOOZE = timedelta(days=180)


def snooze_days(today: date) -> list[tuple[str, str]]:
    """Tomorrow, next Monday, in two weeks, in a month: value ISO date, label with the date."""
    monday = today + timedelta(days=7 - today.weekday())
    named = [
        (today + timedelta(days=1), gettext("Tomorrow")),
        (monday, gettext("Next Monday")),
        (today + timedelta(days=14), gettext("In two weeks")),
        (today + timedelta(days=30), gettext("In a month")),
    ]
    days: dict[date, str] = {}
    for day, label in named:
        days.setdefault(day, label)
    return [(day.isoformat(), f"{label} · {date_format(day, 'DATE_FORMAT')}") for day, label in days.items()]


class SnoozeForm(forms.Form):
    """Until which local day the accounts stay out of sight."""

    until = forms.ChoiceField(label=_("Bring it back"), widget=forms.RadioSelect)
    other_day = forms.DateField(
        label=_("Or on another day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=500, widget=forms.TextInput())

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        choices = snooze_days(today)
        field = self.fields["until"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.initial = choices[0][0]

    def clean_other_day(self) -> date | None:
        day: date | None = self.cleaned_data["other_day"]
        if day is not None and not self.today < day <= self.today + LONGEST_SNOOZE:
            raise forms.ValidationError(_("Choose a day after today, at most 180 days ahead."))
        return day

    @property
    def chosen_day(self) -> date:
        """The date that was filled in, else the chosen one."""
        return self.cleaned_data["other_day"] or date.fromisoformat(self.cleaned_data["until"])


class ResolveForm(forms.Form):
    """How it ended."""

    result = forms.ChoiceField(
        label=_("Result"),
        choices=ResolutionResult.choices,
        widget=forms.RadioSelect,
        initial=ResolutionResult.HELPED,
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class AssignForm(forms.Form):
    """Who looks after the accounts from now on; empty means nobody."""

    csm: forms.ModelChoiceField[Membership] = forms.ModelChoiceField(
        label=_("CSM"), queryset=None, required=False, to_field_name="public_id"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["csm"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = assignable()
        field.empty_label = gettext("Nobody")
        if field.queryset.count() <= MOST_RADIOS:
            field.widget = forms.RadioSelect(choices=field.choices)  # type: ignore[arg-type]


def assignable() -> Any:
    """Members who can look after accounts, by name."""
    roles = (Role.CSM, Role.ADMIN, Role.OWNER)
    rows = Membership.objects.filter(is_active=True, role__in=roles).select_related("user")
    return rows.order_by("user__name", "user__email")

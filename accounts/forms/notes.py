"""Notes, logged touches and letting go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Contact, TouchKind


class NoteForm(forms.Form):
    """A CSM's own words."""

    body = forms.CharField(
        label=_("Note"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("What should the next person know?")}),
    )
    is_pinned = forms.BooleanField(label=_("Keep on top"), required=False)


class TouchForm(forms.Form):
    """Contact with the customer that happened elsewhere."""

    kind = forms.ChoiceField(label=_("What"), choices=TouchKind.choices)
    occurred_on = forms.DateField(label=_("When"), widget=forms.DateInput(attrs={"type": "date"}))
    contact: forms.ModelChoiceField[Contact] = forms.ModelChoiceField(
        label=_("With"), queryset=None, required=False, to_field_name="public_id"
    )
    body = forms.CharField(
        label=_("What was said"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Contact.objects.filter(account=account, left_at__isnull=True).order_by("name", "id")
        field.empty_label = gettext("Nobody in particular")


class LetGoForm(forms.Form):
    """Why the team lets an account go."""

    note = forms.CharField(
        label=_("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The account leaves the queue and is shown as let go until you take it back."),
    )

"""Forms of the pages that a mail's foot leads to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import MailCategory
from accounts.models.workspaces import LANGUAGES


class TickBoxes(forms.MultipleChoiceField):
    """Nothing ticked is an answer too, so the field is not called optional."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class PreferenceForm(forms.Form):
    """Everything unticked means: no optional mail at all."""

    categories = TickBoxes(
        label=_("Mails you want"), choices=MailCategory.choices, widget=forms.CheckboxSelectMultiple
    )
    is_paused = forms.BooleanField(label=_("Take a break: none of these for 30 days"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)

    def __init__(self, *args: Any, has_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_person:
            del self.fields["language"]

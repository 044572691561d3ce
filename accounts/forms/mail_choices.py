"""Forms of the pages that a mail's foot leads to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import MailCategory
from accounts.models.workspaces import LANGUAGES


class PreferenceForm(forms.Form):
    """Everything unticked means: no optional mail at all."""

    categories = forms.MultipleChoiceField(
        label=_("Mails you want"),
        choices=MailCategory.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    is_paused = forms.BooleanField(label=_("Take a break: none of these for 30 days"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    def __init__(self, *args: Any, has_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["categories"].required = False
        if not has_person:
            del self.fields["language"]

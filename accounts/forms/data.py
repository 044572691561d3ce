"""Forms about the workspace's data: how long it is kept, and that it goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.registry import RetentionKind


class RetentionForm(forms.Form):
    """One number of days per kind."""

    def __init__(self, *args: Any, kinds: list[RetentionKind], days: dict[str, int], **options: Any) -> None:
        super().__init__(*args, **options)
        for kind in kinds:
            self.fields[kind.name] = forms.IntegerField(
                label=kind.label,
                help_text=kind.description,
                min_value=kind.least_days,
                max_value=3650,
                initial=days[kind.name],
            )


class TypedAgainForm(forms.Form):
    """A far-reaching act wants a word typed again."""

    word = forms.CharField(max_length=200)

    def __init__(self, *args: Any, expected: str, label: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.expected = expected
        self.fields["word"].label = label

    def clean_word(self) -> str:
        word = str(self.cleaned_data["word"]).strip()
        if word != self.expected:
            raise forms.ValidationError(_("This is not the same. Nothing was done."))
        return word

"""What a person may add to an act on cases."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.mail_texts.checks import text_mistakes
from accounts.models import TextPurpose
from dunning.services.case_verbs import LONGEST_NOTE


class ActForm(forms.Form):
    """A remark for the case's history."""

    text = forms.CharField(
        label=_("Note"), required=False, max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )


class NoteForm(ActForm):
    """The remark is the act."""

    text = forms.CharField(label=_("Note"), max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 4}))


class AnswerForm(forms.Form):
    """The answer to a question about a bill."""

    text = forms.CharField(
        label=_("Answer"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("It goes to the person by mail, in your name, and onto the timeline of the case."),
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        mistakes = text_mistakes(gettext("Your question about your bill"), text, purpose=TextPurpose.PERSONAL)
        if found := [words for each in mistakes.values() for words in each]:
            raise forms.ValidationError(found)
        return text

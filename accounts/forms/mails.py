"""The form in which a CSM writes to a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.mail_texts.checks import LONGEST_BODY, LONGEST_SUBJECT, text_mistakes
from accounts.models import Account, Contact, MailText, TextPurpose
from accounts.queries.texts import published_texts


def people_of(account: Account) -> QuerySet[Contact]:
    """Whom one can write to: still there, with an address; champions first."""
    people = Contact.objects.filter(account=account, left_at__isnull=True).exclude(email="")
    return people.select_related("account__csm__user", "workspace").order_by("-is_champion", "name", "pk")


class _Person(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Contact) -> str:
        return f"{obj.name} <{obj.email}>" if obj.name else obj.email


class MailForm(forms.Form):
    """`filled` is what a text put into subject and body, so that another choice does not overwrite own words."""

    contact = _Person(label=_("To"), queryset=None, to_field_name="public_id", empty_label=None)
    text: forms.ModelChoiceField[MailText] = forms.ModelChoiceField(
        label=_("Text"), queryset=None, required=False, to_field_name="public_id"
    )
    subject = forms.CharField(label=_("Subject"), max_length=LONGEST_SUBJECT)
    body = forms.CharField(
        label=_("Words"), max_length=LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 12})
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact"].queryset = people_of(account)  # type: ignore[attr-defined]
        text = self.fields["text"]
        assert isinstance(text, forms.ModelChoiceField)
        text.queryset = published_texts()
        text.empty_label = gettext("None: my own words")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        mistakes = text_mistakes(data.get("subject", ""), data.get("body", ""), purpose=TextPurpose.PERSONAL)
        for name, found in mistakes.items():
            if name in data:
                for words in found:
                    self.add_error(name, words)
        return data

    def clean_body(self) -> str:
        return str(self.cleaned_data["body"]).replace("\r\n", "\n").strip()

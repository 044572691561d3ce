"""Forms of mail texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.mail_texts.checks import Definition, mistakes_in, tidy
from accounts.models import MailCategory, MailClass, MailText, TextPurpose
from accounts.models.workspaces import LANGUAGES


class TextForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a text is for and how freely it may go."""

    mail_class = forms.ChoiceField(
        label=_("Sort of mail"),
        choices=MailClass.choices,
        initial=MailClass.OTHER,
        help_text=_(
            "Only receipts, legal notices and answers are transactional; all others can be unsubscribed from."
        ),
    )

    class Meta:
        model = MailText
        fields = ("name", "purpose", "mail_class", "category")
        labels = {
            "name": _("Name"),
            "purpose": _("What it is for"),
            "category": _("What people switch off with it"),
        }
        help_texts = {
            "name": _("Only your team sees it."),
            "category": _("Empty: tips and help with getting started."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["purpose"].initial = TextPurpose.PERSONAL
        self.fields["category"].required = False

    def clean_category(self) -> str:
        """Transactional mails cannot be switched off."""
        if self.cleaned_data.get("mail_class") == MailClass.TRANSACTIONAL:
            return ""
        return str(self.cleaned_data["category"] or MailCategory.TIPS)


@dataclass
class LanguageWords:
    """One language of the editor: what was typed and what is wrong with it."""

    code: str
    label: str
    subject: str = ""
    body: str = ""
    errors: dict[str, list[str]] = field(default_factory=lambda: {"subject": [], "body": []})


class WordsForm:
    """Subject and body in every language, side by side."""

    def __init__(self, definition: Definition) -> None:
        self.languages = [
            LanguageWords(code, label, words.get("subject", ""), words.get("body", ""))
            for code, label in LANGUAGES
            for words in [definition.get(code, {})]
        ]

    @classmethod
    def of_request(cls, data: QueryDict) -> WordsForm:
        return cls(
            {
                code: {name: data.get(f"{code}-{name}", "") for name in ("subject", "body")}
                for code, _label in LANGUAGES
            }
        )

    def definition(self) -> dict[str, dict[str, str]]:
        return tidy({w.code: {"subject": w.subject, "body": w.body} for w in self.languages})

    def is_good(self, *, purpose: str) -> bool:
        """Look for mistakes and keep them beside their fields."""
        mistakes = mistakes_in(self.definition(), purpose=purpose)
        by_code = {w.code: w for w in self.languages}
        for mistake in mistakes:
            by_code[mistake.language].errors[mistake.field].append(mistake.words)
        return not mistakes

    def words(self, language: str) -> Mapping[str, str]:
        found = next((w for w in self.languages if w.code == language), self.languages[0])
        return {"subject": found.subject, "body": found.body}

"""What is wrong with a text's definition: {language: {"subject", "body"}}."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from accounts.mail_texts.markup import markup_mistakes
from accounts.mail_texts.placeholders import Mistake, placeholder_mistakes
from accounts.models.workspaces import LANGUAGES

LONGEST_SUBJECT, LONGEST_BODY = 200, 20_000
Definition = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class FieldMistake:
    """A mistake of one field; `mistake` has no place where the field as a whole is wrong."""

    language: str
    field: str
    words: str


def tidy(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Only known languages and fields, as text; a language without any word is left out."""
    found = {}
    for language, _ in LANGUAGES:
        words = data.get(language) or {}
        parts = {name: str(words.get(name, "")).replace("\r\n", "\n").strip() for name in ("subject", "body")}
        if any(parts.values()):
            found[language] = parts
    return found


def mistakes_in(definition: Definition, *, purpose: str) -> list[FieldMistake]:
    """All mistakes in words; empty when the text may be published."""
    if not definition:
        language = LANGUAGES[0][0]
        return [FieldMistake(language, "subject", gettext("Write the text in at least one language."))]
    return [m for language, words in definition.items() for m in _of_language(language, words, purpose)]


def text_mistakes(subject: str, body: str, *, purpose: str) -> dict[str, list[str]]:
    """The same for one language, by field."""
    return {
        "subject": _subject(subject, purpose),
        "body": _body(body, purpose),
    }


def _of_language(language: str, words: Mapping[str, str], purpose: str) -> list[FieldMistake]:
    found = text_mistakes(words.get("subject", ""), words.get("body", ""), purpose=purpose)
    return [FieldMistake(language, name, text) for name, texts in found.items() for text in texts]


def _subject(subject: str, purpose: str) -> list[str]:
    if not subject:
        return [gettext("A mail needs a subject.")]
    if "\n" in subject:
        return [gettext("A subject is one line.")]
    if len(subject) > LONGEST_SUBJECT:
        return [_too_long(LONGEST_SUBJECT)]
    return [str(m) for m in placeholder_mistakes(subject, purpose)]


def _body(body: str, purpose: str) -> list[str]:
    if not body:
        return [gettext("A mail needs a text.")]
    if len(body) > LONGEST_BODY:
        return [_too_long(LONGEST_BODY)]
    found: list[Mistake] = [*placeholder_mistakes(body, purpose), *markup_mistakes(body)]
    return [str(m) for m in sorted(found, key=lambda m: (m.line, m.column))]


def _too_long(limit: int) -> str:
    return gettext("At most %(n)d characters.") % {"n": limit}

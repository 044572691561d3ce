"""The texts a workspace starts with."""

import pytest
from django.utils import timezone, translation

from accounts.mail_texts.about import About
from accounts.mail_texts.checks import mistakes_in
from accounts.mail_texts.placeholders import names_in, values_of
from accounts.models import MailText, MailTextVersion
from accounts.ready_texts import READY, create_ready_texts
from accounts.services.mail_rendering import render_words
from accounts.services.versions import newest_published
from tests.builders import make_account, make_contact


@pytest.mark.parametrize("ready", READY, ids=lambda r: r.key)
def test_a_ready_text_has_no_mistakes(ready):
    definition = {code: {"subject": s, "body": b} for code, (s, b) in ready.words.items()}
    assert set(definition) == {"en", "ko"}
    assert mistakes_in(definition, purpose=ready.purpose) == []


def test_a_new_workspace_has_them_all_and_making_them_again_changes_nothing(scope):
    assert set(MailText.objects.values_list("key", flat=True)) >= {r.key for r in READY}
    before = MailTextVersion.objects.count()
    create_ready_texts()
    assert MailTextVersion.objects.count() == before


@pytest.mark.parametrize("language", ["en", "ko"])
def test_they_read_well_for_a_person_of_whom_we_know_nothing(scope, language):
    contact = make_contact(make_account(), "Nobody")
    contact.name = ""
    about = About(contact, scope.workspace, language, timezone.now())
    for text in MailText.objects.all():
        words = newest_published(MailTextVersion, text).definition[language]
        with translation.override(language):
            values = values_of(names_in(*words.values()), about)
            made = render_words(words, values=values, workspace=scope.workspace, language=language)
        assert "{{" not in made.text + made.subject
        assert "  " not in made.subject

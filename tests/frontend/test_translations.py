"""Every marked text has a finished Korean translation with the same placeholders."""

import re

import polib
import pytest

from tests.frontend.messages import ROOT, in_python, in_template, marked

CATALOGUE = polib.pofile(str(ROOT / "locale/ko/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]*\}")
# A particle that depends on the sound before it must not stand right behind an inserted word.
PARTICLE = re.compile(r"(?:%\([a-z_]+\)s|\{[a-z_]*\})[”’\"']?(?:은|는|이|가|을|를|와|과|으로|로)(?=[\s,.])")


def test_nothing_is_missing() -> None:
    known = {entry.msgid for entry in CATALOGUE if not entry.obsolete}
    missing = {text: place for text, place in marked().items() if text not in known}
    assert not missing, "run `manage.py makemessages -l ko --no-obsolete` and translate"


def test_nothing_is_unfinished() -> None:
    unfinished = [entry.msgid for entry in CATALOGUE.untranslated_entries() + CATALOGUE.fuzzy_entries()]
    assert unfinished == []


def _texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_placeholders_are_kept() -> None:
    wrong = [
        entry.msgid
        for entry in CATALOGUE
        if not entry.obsolete
        and any(
            set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
            for text in _texts(entry)
        )
    ]
    assert wrong == []


def test_no_particle_depends_on_an_inserted_word() -> None:
    assert [text for entry in CATALOGUE for text in _texts(entry) if PARTICLE.search(text)] == []


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("x = _('one'); gettext_lazy('two')", ["one", "two"]),
        ("ngettext('%(n)d day', '%(n)d days', n)", ["%(n)d day"]),
        ("pgettext('verb', 'Open')", ["Open"]),
    ],
)
def test_python_strings_are_found(source: str, texts: list[str]) -> None:
    assert list(in_python(source)) == texts


def test_template_strings_are_found() -> None:
    source = (
        "{% load i18n %}{% translate 'One (1)' %}{% blocktranslate with a=b %}Two {{ a }}{% endblocktranslate %}"
        '{% include "x.html" with label=_("Three") %}{% blocktranslate count n=3 %}{{ n }} day{% plural %}{{ n }} days'
        "{% endblocktranslate %}"
    )
    assert set(in_template(source)) == {"One (1)", "Two %(a)s", "Three", "%(n)s day"}

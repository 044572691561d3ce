"""Nothing is forgotten: every text field of every workspace table says what it may hold of a person."""

import pytest
from django.apps import apps

from accounts.models.base import WorkspaceModel
from accounts.privacy import personal_data, text_fields

MODELS = [model for model in apps.get_models() if issubclass(model, WorkspaceModel)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_text_field_is_classified(model):
    """Red? Name the field in the app's `personal_data.py`; a person's data needs `of` and `erase` too."""
    declared = personal_data.get(model._meta.label_lower)
    assert sorted(declared.classes()) == sorted(text_fields(model))


def test_what_is_about_a_person_can_be_found_and_erased():
    for data in personal_data:
        if data.person:
            assert data.of is not None, data.name
            assert data.erase is not None or data.legal_basis, data.name


def test_nothing_is_declared_that_does_not_exist():
    assert set(personal_data.names()) == {model._meta.label_lower for model in MODELS}

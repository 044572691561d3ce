"""A long select writes what Django's own does."""

import pytest
from django import forms

from accounts.forms.long_select import LongSelect

CHOICES = [("", 'As the "workspace"'), ("UTC", "UTC"), ("Asia/<b>Seoul</b>", "Seoul & Busan"), (3, "three")]


@pytest.mark.parametrize("value", [None, "", "UTC", "Asia/<b>Seoul</b>", 3, "3", "gone"])
@pytest.mark.parametrize(
    "attrs", [{}, {"id": "id_zone", "required": True, "data-x": "", "disabled": False, "title": 'a"b'}]
)
def test_it_writes_what_djangos_own_select_writes(value, attrs):
    ours, theirs = (widget(attrs={"class": "wide"}) for widget in (LongSelect, forms.Select))
    ours.choices = theirs.choices = CHOICES
    assert ours.render("zone", value, attrs) == theirs.render("zone", value, attrs)

"""HTML made in Python: everything typed is escaped, everything that is HTML stays."""

import pytest
from django.template import Context, Template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from cs_platform.lib.markup import escaped, filled, markup, slot

VALUES = ["<b>&\"'", SafeString("<b>"), 3, 2.5, None, gettext_lazy("Red"), "\0name\0", "{0}"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_escapes_as_django_does(value: object) -> None:
    assert escaped(value) == conditional_escape(value)
    assert markup("<i>{}</i>", value) == format_html("<i>{}</i>", value)
    assert isinstance(markup("{}", value), SafeString)


def test_lines_are_filled_in_and_their_values_cannot_open_a_slot() -> None:
    form = f'<p id="{slot("id")}">{slot("name")}</p>'
    lines = [
        {"id": 1, "name": "<script>"},
        {"id": 2, "name": slot("id")},
        {"id": 3, "name": SafeString("<b>")},
    ]
    assert filled(form, lines) == ('<p id="1">&lt;script&gt;</p><p id="2">\0id\0</p><p id="3"><b></p>')
    assert filled("<hr>", [{}, {}]) == "<hr><hr>"
    assert filled(form, []) == ""


def test_a_slot_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled(slot("nmae"), [{"name": "x"}])


def test_what_stands_around_the_slots_is_made_once() -> None:
    seen = []
    form = Template("{{ outer }}-{{ counted }}").render(
        Context({"outer": slot("id"), "counted": lambda: seen.append(1) or "once"})
    )
    assert filled(form, [{"id": 1}, {"id": 2}]) == "1-once2-once"
    assert seen == [1]

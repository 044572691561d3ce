"""Sample data of the larger parts on the design page: rule builder, sequence, checklist, search results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.segments.fields import LISTS, NUMBERS, Operator


@dataclass(frozen=True, slots=True)
class SampleField:
    name: str
    label: str
    operators: tuple[Operator, ...]
    help: str = ""


def rule_and_steps() -> dict[str, Any]:
    """What `design.html` shows of them."""
    return {
        "rules": _rules(),
        "sequence_steps": _sequence(),
        "checklist_steps": _checklist(),
        "found": [
            {"label": "Northwind Robotics", "detail": _("Account"), "url": "#", "icon": "building-2"},
            {"label": _("Queue"), "detail": _("Page"), "url": "#", "icon": "inbox"},
        ],
    }


def _rules() -> dict[str, Any]:
    """Two conditions and a group with one that is not finished."""
    arr = SampleField("arr_minor", _("ARR"), NUMBERS)
    band = SampleField("health_band", _("Band"), LISTS)
    bands = [("red", _("Red")), ("yellow", _("Yellow")), ("green", _("Green"))]
    chosen = [{"value": value, "label": label, "chosen": value == "red"} for value, label in bands]
    unfinished = _rule("r.2.0", arr, "lte", error=_("Type a number."), unit="USD")
    group = {"path": "r.2", "joiner": "any", "children": [unfinished], "may_nest": False}
    children = [
        _rule("r.0", arr, "gte", first="10000", unit="USD"),
        _rule("r.1", band, "any_of", form="list", choices=chosen),
        group,
    ]
    return {
        "name": "rule",
        "node": {"path": "r", "is_root": True, "joiner": "all", "children": children, "may_nest": True},
        "field_groups": [(_("Account"), [arr, band])],
        "joiners": [("all", _("All of these apply")), ("any", _("At least one of these applies"))],
        "url": _address("accounts:segment_rules") and f"{_address('accounts:segment_rules')}?name=rule",
        "match": {"accounts": 19, "total": 404, "sample": []},
    }


def _rule(path: str, known: SampleField, op: str, **values: Any) -> dict[str, Any]:
    return {"path": path, "field": known.name, "known": known, "op": op, "form": "number", **values}


def _sequence() -> list[dict[str, Any]]:
    return [
        {"number": 1, "icon": "mail", "label": _("Mail"), "words": _("One question to the champion.")},
        {
            "number": 2,
            "icon": "clock",
            "label": _("Wait"),
            "words": _("Three working days."),
            "ways": [_("If somebody answers: end here")],
        },
        {"number": 3, "icon": "list-checks", "label": _("Ask the CSM"), "words": _("Call, do not mail.")},
    ]


def _checklist() -> list[dict[str, Any]]:
    customers = {"label": _("Bring your customers in"), "text": "", "action": ""}
    team = {
        "label": _("Invite your team"),
        "text": _("Everybody sees the same queue; each their own part of it."),
        "action": _("Invite"),
    }
    return [
        {
            "step": customers,
            "facts": {"is_done": True, "note": _("500 accounts")},
            "url": "#",
        },
        {"step": team, "facts": {"is_done": False, "note": ""}, "url": "#", "is_next": True},
    ]


def _address(name: str) -> str:
    """Empty where the page is shown without the product's addresses."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""

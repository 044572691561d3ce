"""A tree as one line that people read."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from accounts.segments.fields import FieldKind, Form, SegmentField
from accounts.segments.tree import Group, Rule, Tree
from cs_platform.lib.formats import money

NAMED_VALUES = 5


def describe_tree(tree: Tree, *, currency: str) -> str:
    """For example "ARR is at least $50,000 and (Band is Red or Churn probability is at least 40 %)"."""
    return _node(tree.root, currency, is_inner=False)


def _node(node: Group | Rule, currency: str, *, is_inner: bool) -> str:
    if isinstance(node, Rule):
        return _rule(node, currency)
    joiner = gettext(" and ") if node.joiner == "all" else gettext(" or ")
    text = joiner.join(_node(child, currency, is_inner=True) for child in node.children)
    return f"({text})" if is_inner and len(node.children) > 1 else text


def _rule(rule: Rule, currency: str) -> str:
    names: dict[str, Any] = {"field": rule.field.label}
    if rule.operator.form == Form.PAIR:
        names["low"], names["high"] = (_written(rule.field, part, currency) for part in rule.value)
    elif rule.operator.form == Form.LIST:
        names["value"] = _listed(rule.field, rule.value)
    elif rule.operator.form == Form.DAY:
        names["value"] = date_format(date.fromisoformat(rule.value))
    elif rule.operator.form == Form.NUMBER:
        names["value"] = _written(rule.field, rule.value, currency)
    else:
        names["value"] = rule.value
    return str(rule.operator.sentence) % names


def _listed(field: SegmentField, values: list[str]) -> str:
    labels = dict(field.choices()) if field.choices else {}
    shown = [str(labels.get(value, value)) for value in values[:NAMED_VALUES]]
    if len(values) > NAMED_VALUES:
        shown.append(gettext("%(n)d more") % {"n": len(values) - NAMED_VALUES})
    return gettext(" or ").join(shown)


def _written(field: SegmentField, value: float, currency: str) -> str:
    if field.kind == FieldKind.MONEY:
        return money(round(value), currency)
    text = number_format(value, use_l10n=True, force_grouping=True)
    return f"{text} {field.unit}".strip()

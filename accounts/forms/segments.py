"""The rule builder as a form field, and the form of a segment.

    tree = TreeField(label=_("Who"))          # cleaned value: accounts.segments.Tree (None when empty and optional)

Pass JSON or a Tree as `initial`; store `cleaned_data["tree"].as_json()`. Without JavaScript the builder's buttons
submit the form: the field is then invalid, so that the page shows the changed rule again and saves nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.forms.rule_draft import ROOT, Draft, Node, as_json, draft_of_tree, new_draft, read_draft, settle
from accounts.models import Segment, Workspace
from accounts.queries.segment_pages import effect_of, match_of
from accounts.segments import Tree, TreeError, all_fields, parse_tree
from accounts.segments.fields import FieldKind, Form, SegmentField
from accounts.segments.parsing import MOST_LEVELS
from cs_platform.lib.scoping import current_workspace_id

JOINERS = [("all", _("All of these apply")), ("any", _("At least one of these applies"))]


class TreeWidget(forms.Widget):
    """Renders `components/rule_builder.html`; `query` goes to the address that answers its htmx requests."""

    template = "components/rule_builder.html"

    def __init__(self, *, without: frozenset[str] = frozenset(), query: dict[str, str] | None = None) -> None:
        super().__init__()
        self.without = without
        self.query = query or {}
        self.show_all_errors = False
        self._known: tuple[dict[str, SegmentField], str] | None = None

    @property
    def fields(self) -> dict[str, SegmentField]:
        return self._read()[0]

    @property
    def currency(self) -> str:
        return self._read()[1]

    def _read(self) -> tuple[dict[str, SegmentField], str]:
        """Fields and currency of the workspace, read once per form."""
        if self._known is None:
            fields = {n: f for n, f in all_fields(cached=True).items() if f.about not in self.without}
            currency = Workspace.objects.values_list("report_currency", flat=True)
            self._known = fields, str(currency.get(pk=current_workspace_id()))
        return self._known

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Draft | None:
        draft = read_draft(data, name)
        if draft is not None:
            settle(draft, self.fields)
        return draft

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""

    def draft(self, value: Any) -> Draft:
        """What is shown, as a draft: typed inputs, a stored rule or nothing yet."""
        if isinstance(value, Draft):
            return value
        if isinstance(value, Tree):
            value = value.as_json()
        return draft_of_tree(value, self.fields, self.currency) if value else new_draft()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return render_to_string(self.template, self.context(name, self.draft(value)))

    def context(self, name: str, draft: Draft) -> dict[str, Any]:
        """What the template reads. Unfinished conditions are marked only once the form was sent."""
        tree = _mark(draft, self)
        match, segment = match_of(tree, now=timezone.now()) if tree else None, self.segment()
        groups: dict[str, list[SegmentField]] = {}
        for known in self.fields.values():
            groups.setdefault(str(known.group), []).append(known)
        query = urlencode({**self.query, "name": name})
        return {
            "name": name,
            "node": _shown(draft.root, ROOT, 1, self),
            "field_groups": list(groups.items()),
            "joiners": JOINERS,
            "url": f"{reverse('accounts:segment_rules')}?{query}",
            "asked": not draft.is_blank,
            "match": match,
            "effect": effect_of(segment, match.ids) if match and segment else None,
            "segment": segment,
        }

    def segment(self) -> Segment | None:
        """The segment whose rule is edited, if any: then the builder also says who would enter and leave."""
        try:
            found: Segment | None = Segment.objects.filter(public_id=UUID(self.query["segment"])).first()
        except (KeyError, ValueError):
            return None
        return found


def _mark(draft: Draft, widget: TreeWidget) -> Tree | None:
    """The tree, or None with the mistakes written beside their conditions."""
    nodes = dict(draft.root.walk())
    try:
        return parse_tree(as_json(draft, widget.fields, widget.currency), fields=widget.fields)
    except TreeError as error:
        for problem in error.problems:
            node = nodes[problem.path]
            if widget.show_all_errors or any(node.values):
                node.error = str(problem.words)
    return None


def _shown(node: Node, path: str, level: int, widget: TreeWidget) -> dict[str, Any]:
    """A node for the template."""
    if node.is_group:
        children = [
            _shown(child, f"{path}.{at}", level + 1, widget) for at, child in enumerate(node.children)
        ]
        return {
            "path": path,
            "is_root": path == ROOT,
            "joiner": node.joiner,
            "children": children,
            "may_nest": level < MOST_LEVELS,
            "error": node.error,
        }
    known = widget.fields.get(node.field)
    operator = known.operator(node.op) if known else None
    form = operator.form if operator else Form.NOTHING
    return {
        "path": path,
        "field": node.field,
        "known": known,
        "op": node.op,
        "form": form.value,
        "values": node.values,
        "first": node.values[0] if node.values else "",
        "second": node.values[1] if len(node.values) > 1 else "",
        "joined": ", ".join(node.values),
        "choices": _choices(known, node) if known and form == Form.LIST else [],
        "unit": _unit(known, widget.currency) if known and form in (Form.NUMBER, Form.PAIR) else "",
        "error": node.error,
        "is_new": node.is_new,
    }


def _choices(known: SegmentField, node: Node) -> list[dict[str, Any]]:
    """The list to tick; a chosen value that is no longer there stays in sight."""
    if known.choices is None:
        return []
    listed = known.choices()
    gone = [(value, value) for value in node.values if value and value not in dict(listed)]
    return [{"value": v, "label": label, "chosen": v in node.values} for v, label in [*listed, *gone]]


def _unit(known: SegmentField, currency: str) -> str:
    return currency if known.kind == FieldKind.MONEY else str(known.unit)


class TreeField(forms.Field):
    """A rule over accounts. Cleans to a Tree."""

    widget: TreeWidget
    default_error_messages = {
        "acted": _("The rule was changed. Nothing is saved yet."),
        "required": _("Add at least one condition."),
    }

    def __init__(
        self, *, without: frozenset[str] = frozenset(), query: dict[str, str] | None = None, **kwargs: Any
    ) -> None:
        self.without = frozenset(without)
        kwargs.setdefault("widget", TreeWidget(without=self.without, query=query))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Tree | None:
        if isinstance(value, Draft) and value.acted:
            raise ValidationError(self.error_messages["acted"], code="acted")
        if value is None or (isinstance(value, Draft) and value.is_blank):
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        data = as_json(value, self.widget.fields, self.widget.currency) if isinstance(value, Draft) else value
        try:
            return parse_tree(data, without=self.without, fields=self.widget.fields)
        except TreeError as error:
            self.widget.show_all_errors = True
            words = list(dict.fromkeys(str(problem.words) for problem in error.problems))
            raise ValidationError(words, code="invalid") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


class SegmentForm(forms.Form):
    """Name, description and rule of a segment."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("What it is for"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    tree = TreeField(label=_("Who is in it"))
    note = forms.CharField(label=_("What changed, and why"), max_length=300, required=False)

    def __init__(self, *args: Any, segment: Segment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.segment = segment
        query = {"segment": str(segment.public_id)} if segment else {"segment": "new"}
        self.fields["tree"] = TreeField(label=_("Who is in it"), without=frozenset({"segments"}), query=query)
        self.order_fields(["name", "description", "tree", "note"])

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Segment.objects.filter(name=name)
        if self.segment is not None:
            others = others.exclude(pk=self.segment.pk)
        if others.exists():
            raise ValidationError(_("There is a segment of this name already."))
        return name

    def typed_rule(self) -> dict[str, Any] | None:
        """The rule as it stands in the form, mistakes included, for the draft; None where there is none."""
        widget = self.fields["tree"].widget
        assert isinstance(widget, TreeWidget)
        value = self["tree"].value()
        if not isinstance(value, Draft) or value.is_blank:
            return None
        return as_json(value, widget.fields, widget.currency)

    @property
    def was_acted(self) -> bool:
        """A button of the builder was pressed, nothing else."""
        value = self["tree"].value()
        return isinstance(value, Draft) and value.acted

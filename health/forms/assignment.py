"""Forms of the assignment page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.segments import TreeField
from accounts.models import Membership
from cs_platform.lib.money import NotMoney, to_major, to_minor
from health.forms.queue import assignable
from health.models import AssignmentPolicy, AssignmentRule
from health.queries.assignment import Desk

MOST_ACCOUNTS = 100_000


class RuleForm(forms.Form):
    """Which accounts, and who may get them."""

    name = forms.CharField(label=_("Name"), max_length=100)
    tree = TreeField(
        label=_("Which accounts"), required=False, help_text=_("Leave it empty and the rule takes everybody.")
    )
    pool: forms.ModelMultipleChoiceField[Membership] = forms.ModelMultipleChoiceField(
        label=_("Who gets them"),
        queryset=None,
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        help_text=_("One = always this person. Several = whoever has used least of their capacity is next."),
    )
    is_enabled = forms.BooleanField(label=_("Rule is on"), required=False, initial=True)

    def __init__(self, *args: Any, rule: AssignmentRule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule = rule
        self.fields["pool"].queryset = assignable()  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = AssignmentRule.objects.filter(name=name)
        if self.rule is not None:
            others = others.exclude(pk=self.rule.pk)
        if others.exists():
            raise forms.ValidationError(_("There is a rule of this name already."))
        return name


class PolicyForm(forms.Form):
    """What holds for all rules, and the capacity of each CSM."""

    high_value = forms.CharField(
        label=_("ARR from which an account always gets a CSM"),
        required=False,
        help_text=_("Even if everybody is full, or no rule matches. Empty = no such promise."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    is_nightly = forms.BooleanField(
        label=_("Hand out new customers without a CSM every night"), required=False
    )

    def __init__(
        self, data: Any = None, *, policy: AssignmentPolicy, desks: list[Desk], currency: str
    ) -> None:
        value = policy.high_value_arr_minor
        initial = {
            "high_value": "" if value is None else str(to_major(value, currency)).removesuffix(".00"),
            "is_nightly": policy.is_nightly,
            **{f"capacity-{d.member.public_id}": d.member.capacity_accounts for d in desks},
        }
        super().__init__(data, initial=initial)
        self.desks, self.currency = desks, currency
        for desk in desks:
            self.fields[f"capacity-{desk.member.public_id}"] = forms.IntegerField(
                label=str(desk.member), required=False, min_value=0, max_value=MOST_ACCOUNTS
            )

    def clean_high_value(self) -> int | None:
        text = self.cleaned_data["high_value"].strip().replace(" ", "").replace(",", "")
        if not text:
            return None
        try:
            minor = to_minor(text, self.currency)
        except NotMoney:
            raise forms.ValidationError(_("Enter an amount, for example 50000.")) from None
        if minor < 0:
            raise forms.ValidationError(_("Enter an amount, for example 50000."))
        return minor

    def capacities(self) -> dict[int, int | None]:
        return {d.member.pk: self.cleaned_data[f"capacity-{d.member.public_id}"] for d in self.desks}

    def lines(self) -> list[tuple[Desk, Any]]:
        """Each CSM with the field of their capacity."""
        return [(desk, self[f"capacity-{desk.member.public_id}"]) for desk in self.desks]

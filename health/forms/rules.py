"""The form of one risk rule, made of the rule's own parameters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from health.models import RiskRule, Severity
from health.risks import RiskRuleSpec


class RuleForm(forms.Form):
    is_enabled = forms.BooleanField(label=_("Rule is on"), required=False)
    severity = forms.TypedChoiceField(label=_("Severity"), choices=Severity.choices, coerce=int)
    instruction = forms.CharField(
        label=_("What to do"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Shown to the CSM beside the account. Leave empty for the default text."),
    )

    def __init__(self, data: Any, *, spec: RiskRuleSpec, rule: RiskRule) -> None:
        stored = spec.settings(rule.parameters)
        initial = {
            "is_enabled": rule.is_enabled,
            "severity": rule.severity,
            "instruction": rule.instruction or spec.instruction,
            **{f"p-{name}": repr(value).removesuffix(".0") for name, value in stored.items()},
        }
        super().__init__(data, initial=initial)
        self._spec = spec
        for parameter in spec.parameters:
            self.fields[f"p-{parameter.name}"] = forms.FloatField(
                label=f"{parameter.label} ({parameter.unit})" if parameter.unit else parameter.label,
                min_value=parameter.lowest,
                max_value=parameter.highest,
            )
        self.order_fields(
            ["is_enabled", *(f"p-{p.name}" for p in spec.parameters), "severity", "instruction"]
        )

    def settings(self) -> dict[str, float]:
        return {p.name: self.cleaned_data[f"p-{p.name}"] for p in self._spec.parameters}

    def values(self) -> dict[str, Any]:
        """Columns of RiskRule; an instruction equal to the default is stored as none, so that it stays translated."""
        text = self.cleaned_data["instruction"].strip()
        return {
            "is_enabled": self.cleaned_data["is_enabled"],
            "severity": self.cleaned_data["severity"],
            "instruction": "" if text == str(self._spec.instruction) else text,
            "parameters": self.settings(),
        }

"""What somebody wants to know before starting a holdout test."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from health.models import Goal, HealthBand

SHARES = [("0.05", "5%"), ("0.1", "10%"), ("0.2", "20%"), ("0.3", "30%"), ("0.5", "50%")]


WHO = [("all", _("All customers")), ("watch", _("Red and yellow accounts")), ("red", _("Red accounts"))]
WHO_BANDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "watch": (HealthBand.RED, HealthBand.YELLOW),
    "red": (HealthBand.RED,),
}


class PlanForm(forms.Form):
    """A question by GET; nothing is written."""

    outcome = forms.ChoiceField(label=_("Goal"), choices=Goal.choices)
    who = forms.ChoiceField(label=_("Whom it is about"), choices=WHO)
    window_days = forms.IntegerField(
        label=_("Window in days"),
        min_value=1,
        max_value=730,
        help_text=_("From the draw of an account to the day its outcome is read."),
    )
    holdout_share = forms.TypedChoiceField(label=_("Held out"), choices=SHARES, coerce=float)
    accounts_a_month = forms.IntegerField(
        label=_("Accounts a month"),
        min_value=1,
        max_value=1_000_000,
        help_text=_("How many become eligible, both groups together."),
    )


DEFAULTS = {
    "outcome": Goal.RETAINED,
    "who": "watch",
    "window_days": 90,
    "holdout_share": 0.1,
    "accounts_a_month": 40,
}

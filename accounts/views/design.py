"""Sample data of the design page: every component in every state, for those who build pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.views.design_parts import rule_and_steps
from cs_platform.lib.formats import money_short


class SampleForm(forms.Form):
    """One field of each kind, bound to invalid data so that an error shows."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("As the customer writes it."))
    email = forms.EmailField(label=gettext_lazy("Email"))
    plan = forms.ChoiceField(
        label=gettext_lazy("Plan"), choices=[("starter", "Starter"), ("enterprise", "Enterprise")]
    )
    starts = forms.DateField(
        label=gettext_lazy("Starts on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    champion = forms.BooleanField(label=gettext_lazy("Is the champion"), required=False)
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"),
        choices=[("email", gettext_lazy("Email")), ("call", gettext_lazy("Call"))],
        widget=forms.RadioSelect,
        required=False,
    )


class SampleMessage:
    """Stands for a Django message with an undo address."""

    level_tag = "success"
    extra_tags = "undo:/settings/design/"

    def __str__(self) -> str:
        return _("Snoozed until Monday.")


def _rows(now: datetime) -> list[dict[str, Any]]:
    falling = [30 - index + (index % 4) * 2 for index in range(28)]
    rising = [8 + index * 0.7 + (index % 3) for index in range(28)]
    base = [
        ("Northwind Robotics", "red", 23, [_("Gone quiet"), _("Renewal near")], falling, 18_400_000, 31),
        ("Kestrel Analytics", "yellow", 58, [_("Tickets rising")], falling[::-1], 6_240_000, 96),
        ("Marlow & Finch", "green", 84, [], rising, 2_150_000, 204),
        ("한빛소프트웨어", "yellow", 64, [_("Payment failed")], rising[::-1], 990_000, -2),
    ]
    names = ("name", "band", "score", "causes", "usage", "arr")
    return [
        dict(zip(names, row[:6], strict=True))
        | {"plan": "Enterprise", "csm": "Ben Ito", "renewal": (now + timedelta(days=int(row[6]))).date()}
        for row in base
    ]


def _entries(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "icon": "credit-card",
            "tone": "red",
            "title": _("Payment failed"),
            "text": _("Card expired."),
            "when": now - timedelta(minutes=12),
        },
        {
            "icon": "phone",
            "title": _("Call with the champion"),
            "who": "Ben Ito",
            "text": _("Wants the export before the renewal."),
            "when": now - timedelta(days=1),
        },
        {
            "icon": "trending-down",
            "tone": "amber",
            "title": _("Score fell from 71 to 58"),
            "when": now - timedelta(days=9),
        },
    ]


def _chart() -> dict[str, Any]:
    weeks = [f"{week}" for week in range(1, 13)]
    scores = [81, 80, 82, 79, 77, 74, 75, 70, 66, 61, 59, 58]
    return {
        "figure": {
            "data": [
                {"type": "scatter", "mode": "lines+markers", "x": weeks, "y": scores, "name": _("Score")}
            ],
            "layout": {
                "xaxis": {"title": {"text": _("Week")}},
                "yaxis": {"title": {"text": _("Score, 0–100")}, "range": [0, 100]},
                "showlegend": False,
            },
        },
        "chart_reading": _("The score fell by 23 points since week 3; usage explains 17 of them."),
        "chart_headers": [_("Week"), _("Score")],
        "chart_rows": list(zip(weeks, scores, strict=True)),
    }


def _builders() -> dict[str, Any]:
    return {
        "weights": [
            {
                "id": "w-usage",
                "label": _("Usage"),
                "value": 50,
                "share": "50%",
                "help": _("Active days in 28 days"),
            },
            {"id": "w-support", "label": _("Support"), "value": 20, "share": "20%", "help": ""},
            {"id": "w-payments", "label": _("Payments"), "value": 30, "share": "30%", "help": ""},
        ],
        "heat_months": [0, 1, 2, 3],
        "heat_rows": [
            {"label": "2026-01", "shares": [1, 0.94, 0.88, 0.81]},
            {"label": "2026-02", "shares": [1, 0.91, 0.79, None]},
            {"label": "2026-03", "shares": [1, 0.96, None, None]},
        ],
    }


def sample_context(now: datetime | None = None, *, mail_url: str = "about:blank") -> dict[str, Any]:
    """Everything `design.html` shows. `mail_url`: what stands in the frame of the mail."""
    moment = now or timezone.now().astimezone(UTC)
    return {
        "rows": _rows(moment),
        "entries": _entries(moment),
        "form": SampleForm(
            {"name": "Acme", "email": "not an address", "plan": "starter", "channel": "email"}
        ),
        "tabs": [
            {"label": _("Components"), "url": "#", "active": True},
            {"label": _("Colors"), "url": "#", "count": 5},
        ],
        "band_choices": [
            {"value": "red", "label": _("Red"), "count": 14, "active": True},
            {"value": "yellow", "label": _("Yellow"), "count": 61},
        ],
        "steps": [_("File"), _("Columns"), _("Preview"), _("Import")],
        "stat_money": money_short(124_000_000, "USD"),
        "spark_up": [1, 2, 2, 3, 5, 6, 8],
        "spark_down": [9, 8, 8, 6, 5, 2, 1],
        "spark_gap": [3, None, 4, 6, None, 5],
        "toast": SampleMessage(),
        **_chart(),
        "held_workspace": {"outside_held_since": moment, "deletion_due_at": moment + timedelta(days=14)},
        "mail_url": mail_url,
        **_builders(),
        **rule_and_steps(),
    }

"""The churn model's public record, in words that can be translated."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Job
from cs_platform.lib.formats import number
from cs_platform.lib.scoping import current_workspace_id
from health.models import ModelVersion
from health.models.working import TRAIN_JOB
from health.queries.metric_words import metric_words

FEATURES_SHOWN = 12
REASONS = {
    "live": _(
        "It ranks accounts that left above others in %(roc_auc)s of pairs (%(low)s to %(high)s), better than every baseline."
    ),
    "too_few_churned": _(
        "Too few accounts have left: %(churned)s of %(needed)s needed. Until then the health score stands in."
    ),
    "no_features": _("Nothing is left to learn from. Send usage events or import traits."),
    "no_better_than_chance": _(
        "It is no better than chance: ROC AUC %(roc_auc)s (%(low)s to %(high)s). The data hold no signal that it can see."
    ),
    "loses_to_constant": _("Its probabilities are no closer to the truth than the average rate."),
    "loses_to_health_score": _("The health score alone does as well: ROC AUC %(other)s against %(roc_auc)s."),
    "loses_to_days_to_renewal": _(
        "The days to renewal alone do as well: ROC AUC %(other)s against %(roc_auc)s."
    ),
    "loses_to_tenure_days": _(
        "The customer's age alone does as well: ROC AUC %(other)s against %(roc_auc)s."
    ),
}
BASELINES = {
    "constant": _("Average rate for everybody"),
    "health_score": _("Health score alone"),
    "days_to_renewal": _("Days to renewal alone"),
    "tenure_days": _("Age of the customer alone"),
}
LEFT_OUT = {
    "names_the_end": _("its name says that the customer left, and it follows the outcome"),
    "separates": _("it separates those who left almost perfectly: it knows the end"),
    "pure_level": _("one of its values occurs only with one outcome"),
    "empty": _("no values"),
    "constant": _("the same value for everybody"),
}
SPLITS = {
    "time_embargo": _("by time, with a gap as long as the horizon"),
    "by_account": _("by account (the data hold one moment only)"),
}


def reason_words(record: dict[str, Any]) -> str:
    """Why the version is live or not; an unknown code falls back to its English sentence."""
    sentence = REASONS.get(record.get("reason_code", ""))
    try:
        return str(sentence) % record.get("reason_params", {}) if sentence else str(record.get("reason", ""))
    except KeyError:
        return str(record.get("reason", ""))


def figures(record: dict[str, Any]) -> list[dict[str, str]]:
    """The judged figures with what each means."""

    def low_high() -> str:
        return f"{number(record.get('roc_auc_low'), 3)} – {number(record.get('roc_auc_high'), 3)}"

    rows = [
        (
            _("ROC AUC"),
            number(record.get("roc_auc"), 3),
            low_high(),
            _("share of pairs ranked rightly; 0.5 is chance"),
        ),
        (
            _("Average precision"),
            number(record.get("average_precision"), 3),
            "",
            _("higher is better; chance is the churn rate"),
        ),
        (
            _("Top-decile lift"),
            number(record.get("top_decile_lift"), 2),
            "",
            _("churn among the riskiest tenth against the average"),
        ),
        (
            _("Brier score"),
            number(record.get("brier_score"), 4),
            "",
            _("mean squared error of the probability; lower is better"),
        ),
        (
            _("Calibration error (ECE)"),
            number(record.get("ece"), 3),
            "",
            _("mean gap between predicted and observed share"),
        ),
    ]
    return [{"label": str(a), "value": b, "range": c, "words": str(d)} for a, b, c, d in rows]


def baselines(record: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for name, label in BASELINES.items():
        values = (record.get("baselines") or {}).get(name)
        found.append(
            {
                "label": str(label),
                "roc_auc": number(values["roc_auc"], 3) if values else "–",
                "average_precision": number(values["average_precision"], 3) if values else "–",
                "brier_score": number(values["brier_score"], 4) if values else "–",
            }
        )
    return found


def features(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Used features, the heaviest first, with their labels."""
    rows = sorted(record.get("features") or [], key=lambda row: -(row.get("weight") or 0))[:FEATURES_SHOWN]
    words = metric_words({row["name"] for row in rows}, "")
    return [
        {"label": words.label(r["name"]), "weight": r.get("weight") or 0, "undated": r.get("undated")}
        for r in rows
    ]


def left_out(record: dict[str, Any]) -> list[dict[str, str]]:
    rows = record.get("left_out") or []
    words = metric_words({row["feature"] for row in rows}, "")
    return [
        {"label": words.label(r["feature"]), "why": str(LEFT_OUT.get(r["code"], r["code"]))} for r in rows
    ]


def drift(version: ModelVersion | None) -> dict[str, Any]:
    """Features that have moved away from the training rows since, with their labels; empty before a night."""
    found = version.drift if version else {}
    if not found:
        return {}
    words = metric_words({name for name, _index in found["shifted"]}, "")
    rows = [{"label": words.label(name), "index": index} for name, index in found["shifted"]]
    return {"as_of": date.fromisoformat(found["as_of"]), "asked": found["asked"], "rows": rows}


def split_words(record: dict[str, Any]) -> str:
    return str(SPLITS.get(record.get("split", ""), record.get("split", "")))


def versions() -> list[ModelVersion]:
    return list(ModelVersion.objects.defer("artefact").order_by("-number")[:20])


def is_training() -> bool:
    jobs = Job.objects.filter(kind=TRAIN_JOB, workspace_id=current_workspace_id(), parked_at__isnull=True)
    return bool(jobs.exists())

"""Why an account is at risk and what to do: the drawer of the queue, the head of the account page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Concat, JSONObject

from accounts.models import Account
from health.models import AccountState, ChurnPrediction, ModelVersion, QueueEntry, QueueItem, RiskRule
from health.queries.causes import RISK, Advice, advice_for, describe_items, spoken_for
from health.queries.expected_loss import ExpectedLoss, expected_loss
from health.queries.experiments import HeldOut, held_out_of
from health.queries.metric_words import metric_words


@dataclass(frozen=True, slots=True)
class Reason:
    """What moved the probability: a metric with its value; `raises` the risk or lowers it."""

    label: str
    value: str
    raises: bool
    share: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The latest word of the live model. `probability` None: the model has too little data on the account."""

    probability: float | None
    horizon_days: int
    as_of: date | None
    reasons: tuple[Reason, ...]
    has_model: bool


@dataclass(frozen=True, slots=True)
class AccountRisk:
    state: AccountState | None
    loss: ExpectedLoss | None
    advice: list[Advice]
    prediction: Prediction
    snoozed_until: date | None
    held_out: tuple[HeldOut, ...] = ()


def account_risk(account: Account, *, today: date) -> AccountRisk:
    """Everything that says why this account needs somebody.

    Three queries for an account that was read with its `state` and `queue_entry`.
    """
    state: AccountState | None = getattr(account, "state", None)
    entry: QueueEntry | None = getattr(account, "queue_entry", None)
    until = entry.snoozed_until if entry else None
    items = QueueItem.objects.filter(account=account, closed_at__isnull=True)
    own_words = RiskRule.objects.annotate(source=Concat(Value(RISK), "cause", output_field=CharField()))
    own_words = own_words.filter(source=OuterRef("source"))
    items = items.annotate(own_words=Subquery(own_words.values("instruction")[:1]))
    advice = _advice(list(items.order_by("-severity", "opened_on", "id")))
    return AccountRisk(
        state=state,
        loss=expected_loss(state) if state else None,
        advice=advice,
        prediction=latest_prediction(account, state),
        snoozed_until=until if until and until > today else None,
        held_out=held_out_of(account),
    )


def _advice(items: list[Any]) -> list[Advice]:
    """Each cause with what to do; where a playbook asks for something because of it, that stands below it and
    the rule's general words are left out."""
    spoken = spoken_for(item.source for item in items)
    items = [item for item in items if item.source not in spoken]
    if not items:
        return []
    place = {item.risk_id: at for at, item in enumerate(items) if item.source.startswith(RISK)}
    places = {item.pk: place.get(item.risk_id, at) for at, item in enumerate(items)}
    items.sort(key=lambda item: (places[item.pk], not item.source.startswith(RISK)))
    answered = {item.risk_id for item in items if not item.source.startswith(RISK)}
    stored = {item.source.removeprefix(RISK): item.own_words for item in items if item.own_words}
    advice = advice_for(describe_items(items), stored)
    return [
        replace(words, instruction="") if item.source.startswith(RISK) and item.risk_id in answered else words
        for item, words in zip(items, advice, strict=True)
    ]


def latest_prediction(account: Account, state: AccountState | None) -> Prediction:
    """The live model's latest prediction with its reasons in words, strongest first; one query."""
    latest = ChurnPrediction.objects.filter(account=account, version=OuterRef("pk")).order_by("-as_of")
    word = latest.values(word=JSONObject(probability="probability", as_of="as_of", reasons="reasons"))
    live = ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True)
    found = live.annotate(word=Subquery(word[:1])).values_list("horizon_days", "word").first()
    if found is None:
        return Prediction(None, 0, None, (), has_model=False)
    horizon_days, said = found
    if said is None:
        return Prediction(None, horizon_days, None, (), has_model=True)
    reasons = _reasons(said["reasons"], state.currency if state else "USD")
    as_of = date.fromisoformat(said["as_of"])
    return Prediction(said["probability"], horizon_days, as_of, reasons, has_model=True)


def _reasons(stored: list[dict[str, object]], currency: str) -> tuple[Reason, ...]:
    words = metric_words({str(reason["feature"]) for reason in stored}, currency)
    strongest = max((abs(float(str(reason["effect"]))) for reason in stored), default=0.0) or 1.0
    return tuple(
        Reason(
            label=words.label(str(reason["feature"])),
            value=words.value(str(reason["feature"]), reason["value"]),
            raises=float(str(reason["effect"])) > 0,
            share=abs(float(str(reason["effect"]))) / strongest,
        )
        for reason in stored
    )

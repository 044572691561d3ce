"""Why an account is at risk and what to do: the drawer of the queue, the head of the account page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from accounts.models import Account
from health.models import AccountState, ChurnPrediction, ModelVersion, QueueItem, Snooze
from health.queries.causes import Advice, advice_for, describe_items
from health.queries.expected_loss import ExpectedLoss, expected_loss
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
    snooze: Snooze | None

    @property
    def is_snoozed(self) -> bool:
        return self.snooze is not None


def account_risk(account: Account, *, today: date) -> AccountRisk:
    """Everything that says why this account needs somebody; five queries."""
    state = AccountState.objects.filter(account=account).first()
    items = QueueItem.objects.filter(account=account, closed_at__isnull=True)
    causes = describe_items(items.order_by("-severity", "opened_on", "id"))
    snooze = Snooze.objects.filter(account=account, ended_at__isnull=True, until__gt=today).select_related(
        "snoozed_by"
    )
    return AccountRisk(
        state=state,
        loss=expected_loss(state) if state else None,
        advice=advice_for(causes) if causes else [],
        prediction=latest_prediction(account, state),
        snooze=snooze.first(),
    )


def latest_prediction(account: Account, state: AccountState | None) -> Prediction:
    """The live model's latest prediction with its reasons in words, strongest first."""
    version = (
        ModelVersion.objects.filter(live_from__isnull=False, live_until__isnull=True)
        .only("horizon_days")
        .first()
    )
    if version is None:
        return Prediction(None, 0, None, (), has_model=False)
    row = ChurnPrediction.objects.filter(account=account, version=version).order_by("-as_of").first()
    if row is None:
        return Prediction(None, version.horizon_days, None, (), has_model=True)
    currency = state.currency if state else "USD"
    return Prediction(
        row.probability, version.horizon_days, row.as_of, _reasons(row.reasons, currency), has_model=True
    )


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

"""The two public data sets: one with signal, one without."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from health import ml
from tests.health.ml.tables import frame_features, shared_data

pytestmark = pytest.mark.shared_data


def telco() -> ml.TrainingTable:
    import pandas as pd

    folder = shared_data("telco")
    frame = pd.read_csv(folder / "accounts.csv").merge(
        pd.read_csv(folder / "subscriptions.csv"), on="customerID", validate="one_to_one"
    )
    day = pd.Timestamp("2026-06-30")
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce")
    frame["tenure_days"] = (day - pd.to_datetime(frame["started_on"])).dt.days
    return ml.TrainingTable(
        features=frame_features(frame, skip={"customerID", "started_on", "ended_on"}),
        account_ids=np.arange(len(frame)),
        as_of=np.full(len(frame), day.toordinal()),
        label=frame["ended_on"].notna().to_numpy().astype(np.int64),
        horizon_days=30,
        tenure_days=frame["tenure_days"].to_numpy(dtype=float),
    )


@pytest.mark.slow
def test_telco_reaches_the_reference_and_goes_live() -> None:
    record = ml.train_model(telco()).record
    assert record.live
    assert record.split == "by_account"
    assert record.churned == 1869
    assert record.roc_auc is not None
    assert record.roc_auc >= 0.84
    assert record.ece is not None
    assert record.ece <= 0.03
    assert record.top_decile_lift is not None
    assert record.top_decile_lift >= 2.7
    assert {leak["feature"] for leak in record.left_out} == {"currency"}


def ravenstack(horizon: int = 60) -> ml.TrainingTable:
    """Weekly rows: traits, and usage of the last 28 and 90 days; the label is the next churn event."""
    import pandas as pd

    folder = shared_data("ravenstack")
    accounts = pd.read_csv(folder / "accounts.csv")
    usage = pd.read_csv(folder / "feature_usage.csv").merge(
        pd.read_csv(folder / "subscriptions.csv")[["subscription_id", "account_id"]], on="subscription_id"
    )
    churn = pd.read_csv(folder / "churn_events.csv")
    accounts["account_id"], ids = pd.factorize(accounts["account_id"])
    code = {name: at for at, name in enumerate(ids)}
    used = (_days(usage["usage_date"]), usage["account_id"].map(code).to_numpy())
    ended = (_days(churn["churn_date"]), churn["account_id"].map(code).to_numpy())
    began = _days(accounts["signup_date"])
    rows: list[Any] = []
    for day in range(date(2023, 7, 3).toordinal(), date(2024, 12, 31).toordinal() - horizon, 7):
        known = np.flatnonzero(began < day)
        counts = [
            np.bincount(used[1][(used[0] < day) & (used[0] >= day - w)], minlength=500) for w in (28, 90)
        ]
        soon = np.bincount(ended[1][(ended[0] >= day) & (ended[0] < day + horizon)], minlength=500) > 0
        rows.append(
            (
                known,
                np.full(known.size, day),
                soon[known],
                counts[0][known],
                counts[1][known],
                day - began[known],
            )
        )
    account, as_of, label, short, long, tenure = (np.concatenate(part) for part in zip(*rows, strict=True))
    traits = frame_features(accounts, skip={"account_id", "account_name", "signup_date"})
    behaviour = tuple(ml.FeatureSpec(n, behavioural=True) for n in ("events_28", "events_90", "tenure_days"))
    return ml.TrainingTable(
        features=ml.FeatureMatrix(
            traits.specs + behaviour, np.column_stack([traits.values[account], short, long, tenure])
        ),
        account_ids=account,
        as_of=as_of,
        label=label.astype(np.int64),
        horizon_days=horizon,
        tenure_days=tenure.astype(float),
    )


def _days(texts: Any) -> Any:
    import pandas as pd

    return pd.to_datetime(texts, format="%d-%m-%Y").map(pd.Timestamp.toordinal).to_numpy()


@pytest.mark.slow
def test_ravenstack_has_no_signal_and_stays_off() -> None:
    record = ml.train_model(ravenstack()).record
    assert record.split == "time_embargo"
    assert not record.live
    assert record.reason.code in {"no_better_than_chance", "loses_to_constant", "loses_to_tenure_days"}
    assert ("churn_flag", "names_the_end") in {(leak["feature"], leak["code"]) for leak in record.left_out}

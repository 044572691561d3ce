"""Stage "predict", training, going live and rolling back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.models import User
from accounts.services.audit import audit
from cs_platform.lib.bulk import upsert
from cs_platform.lib.patience import long_thought
from cs_platform.lib.shards import ALL, Shard
from health.models import ChurnPrediction, ModelVersion
from health.queries.in_force import live_version

COLUMNS = ("account_id", "as_of", "version_id", "probability", "reasons")
REASONS = 4
# Above this population stability index a feature counts as shifted: the usual rule of thumb.
SHIFTED = 0.25


def predict_day(*, as_of: date, shard: Shard = ALL) -> int:
    """Probability and reasons of every account with a snapshot, by the live model; 0 without one."""
    version = live_version()
    return 0 if version is None else predict_with(version, as_of=as_of, shard=shard)


def predict_with(version: ModelVersion, *, as_of: date, shard: Shard = ALL) -> int:
    from health import ml
    from health.queries.features import feature_frame

    frame = feature_frame([as_of], shard=shard)
    account_ids, matrix = frame.account_ids, frame.matrix
    if not account_ids.size:
        return 0
    model = ml.load(version.artefact)
    probabilities = model.predict(matrix)
    enough = model.enough_data(matrix)
    reasons = ml.top_reasons(model, matrix, k=REASONS)

    def rows() -> Iterator[tuple[Any, ...]]:
        for i, account_id in enumerate(account_ids.tolist()):
            found = [_reason_json(reason) for reason in reasons.of(i)] if enough[i] else []
            yield account_id, as_of, version.pk, float(probabilities[i]) if enough[i] else None, Jsonb(found)

    upsert(ChurnPrediction._meta.db_table, COLUMNS, rows(), key=("as_of", "account_id", "version_id"))
    if shard.index == 0:  # one share of the accounts is a fair sample of all
        _note_drift(version, model.drift(matrix), as_of)
    return int(account_ids.size)


def _note_drift(version: ModelVersion, found: dict[str, float], as_of: date) -> None:
    """Keep how far tonight's accounts are from the training rows (population stability index)."""
    shifted = sorted(
        ((name, round(value, 3)) for name, value in found.items() if value > SHIFTED), key=lambda row: -row[1]
    )
    drift = {"as_of": as_of.isoformat(), "asked": len(found), "shifted": shifted[:10]}
    ModelVersion.objects.filter(pk=version.pk).update(drift=drift)


def _reason_json(reason: Any) -> dict[str, Any]:
    return {"feature": reason.feature, "value": reason.value, "effect": round(float(reason.contribution), 6)}


def train(
    *,
    as_of: date,
    horizon_days: int,
    acting_user: User | None,
    now: datetime | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> ModelVersion:
    """Train a candidate on matured history before `as_of`, keep its record, and let it go live if it passes.

    A version that fails the gate is kept with its reason and does not replace the live one.
    """
    from health import ml
    from health.services.training import training_table

    table = training_table(as_of=as_of, horizon_days=horizon_days, progress=progress)
    progress("fit", 0, 1)
    with long_thought():  # minutes, in the transaction that read the table
        result = ml.train_model(table)
    record = result.record.as_json()
    version = ModelVersion(
        number=(ModelVersion.objects.aggregate(top=Max("number"))["top"] or 0) + 1,
        horizon_days=horizon_days,
        trained_as_of=as_of,
        record=record,
        artefact=None if result.model is None else ml.dump(result.model),
        is_eligible=bool(record["live"]),
    )
    with transaction.atomic():
        version.save()
        audit(
            "health.model_version.trained",
            acting_user=acting_user,
            target=version,
            reason=record["reason_code"],
        )
        if version.is_eligible:
            go_live(version=version, acting_user=acting_user, now=now or timezone.now())
    return version


def go_live(*, version: ModelVersion, acting_user: User | None, now: datetime) -> None:
    """Make an eligible version the one in force; used by training and by roll-back alike."""
    if not version.is_eligible:
        raise ValueError("only a version that passed the gate can go live")
    with transaction.atomic():
        live = ModelVersion.objects.select_for_update().filter(
            live_from__isnull=False, live_until__isnull=True
        )
        live.exclude(pk=version.pk).update(live_until=now)
        version.live_from, version.live_until = now, None
        version.save(update_fields=["live_from", "live_until"])
        audit("health.model_version.went_live", acting_user=acting_user, target=version)


def retire(*, version: ModelVersion, acting_user: User | None, now: datetime) -> None:
    """Take the live version out of force; the health score stands in until another goes live."""
    version.live_until = now
    version.save(update_fields=["live_until"])
    audit("health.model_version.retired", acting_user=acting_user, target=version)

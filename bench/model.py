"""A live churn model for the measured world: learned from one day's features and outcomes that are drawn."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from django.utils import timezone

from health.models import ModelVersion
from health.queries.features import feature_frame

HORIZON_DAYS = 90


def put_live(as_of: date, algorithm: str) -> ModelVersion:
    """Train `algorithm` on the snapshots of `as_of` and put it in force; call in the workspace's scope."""
    from health import ml

    model = _trained(as_of, algorithm)
    ModelVersion.objects.filter(live_until__isnull=True).update(live_until=timezone.now())
    number = ModelVersion.objects.count() + 1
    version: ModelVersion = ModelVersion.objects.create(
        number=number,
        horizon_days=HORIZON_DAYS,
        trained_as_of=as_of,
        record={},
        artefact=ml.dump(model),
        is_eligible=True,
        live_from=timezone.now(),
    )
    return version


def _trained(as_of: date, algorithm: str) -> Any:
    from health.ml import ChurnModel, TrainingTable
    from health.ml.features import learn_encoder
    from health.ml.model import learn_reference
    from health.ml.recipe import Recipe, fit_calibrated

    frame = feature_frame([as_of])
    silent = np.nan_to_num(frame.metrics["days_since_last_seen"], nan=60.0)
    draw = np.random.default_rng(7)
    label = (draw.random(silent.size) < 1 / (1 + np.exp(2 - silent / 20))).astype(np.int64)
    _encoder, dropped = learn_encoder(frame.matrix)
    features = frame.matrix.without(set(dropped))
    table = TrainingTable(features, frame.account_ids, frame.as_of, label, HORIZON_DAYS)
    recipe: Any = Recipe
    core, calibrator = fit_calibrated(recipe(algorithm, "by_account"), table)
    reference = learn_reference(table.features.aligned(core.encoder.specs))
    return ChurnModel(HORIZON_DAYS, core, calibrator, reference)

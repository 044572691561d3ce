"""The model's public record in words, and who is live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, Job
from cs_platform.lib.scoping import workspace_scope
from health.models import ModelVersion
from health.models.working import TRAIN_JOB
from health.queries.in_force import live_version
from health.queries.model_page import LEFT_OUT, REASONS, SPLITS
from tests.builders import NOW, TODAY
from tests.conftest import Cast
from tests.health.views.measured import web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]

RECORD: dict[str, Any] = {
    "reason_params": {
        "roc_auc": "0.83",
        "low": "0.80",
        "high": "0.86",
        "other": "0.85",
        "churned": "7",
        "needed": "50",
    },
    "roc_auc": 0.83,
    "roc_auc_low": 0.8,
    "roc_auc_high": 0.86,
    "average_precision": 0.4,
    "top_decile_lift": 3.1,
    "brier_score": 0.08,
    "ece": 0.02,
    "baselines": {"constant": {"roc_auc": 0.5, "average_precision": 0.1, "brier_score": 0.09}},
    "rows": 1200,
    "churned": 80,
    "split": "time_embargo",
    "window": {"first_as_of": "2026-01-01", "last_as_of": "2026-08-01"},
    "features": [{"name": "active_days_28", "weight": 0.4}, {"name": "gone_metric", "weight": None}],
    "left_out": [{"feature": "trait:status", "code": code} for code in LEFT_OUT],
    "algorithm": "logistic",
}


def make(number: int, *, reason: str = "live", eligible: bool = True, live: bool = False) -> ModelVersion:
    return ModelVersion.objects.create(
        number=number,
        horizon_days=90,
        trained_as_of=TODAY,
        record={**RECORD, "reason_code": reason},
        is_eligible=eligible,
        live_from=NOW - timedelta(days=1) if live else None,
    )


def live(cast: Cast) -> int | None:
    with workspace_scope(cast.workspace.pk):
        version = live_version()
        return version.number if version else None


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_said_in_both_languages(cast: Cast, reason: str, language: str) -> None:
    with workspace_scope(cast.workspace.pk):
        make(1, reason=reason, eligible=reason == "live")
    page = web(cast.vera.user).get("/health/model/", headers={"Accept-Language": language})
    sentence = page.context["reason"]
    assert page.status_code == 200
    assert sentence
    assert "%(" not in sentence
    assert any("가" <= letter <= "힣" for letter in sentence) is (language == "ko")


def test_codes_of_the_training_are_all_known() -> None:
    """A code that `health/ml` may give and this page does not know would be shown raw."""
    from health.ml import record

    codes = {value for name, value in vars(record).items() if name.isupper() and isinstance(value, str)}
    assert not {code for code in codes if code.startswith("loses_to")} - set(REASONS)
    assert set(SPLITS) == {"time_embargo", "by_account"}


def test_an_empty_record_and_no_record_are_pages_too(cast: Cast) -> None:
    client = web(cast.ada)
    assert "No model has been trained" in client.get("/health/model/").content.decode()
    with workspace_scope(cast.workspace.pk):
        version = ModelVersion.objects.create(number=1, horizon_days=90, trained_as_of=TODAY, record={})
    assert client.get(f"/health/model/{version.public_id}/").status_code == 200


def test_versions_go_live_retire_and_come_back(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        old, new = make(1), make(2, live=True)
    client = web(cast.ada)
    assert "Version <strong>2</strong> is live" in client.get("/health/model/").content.decode()
    client.post(f"/health/model/{old.public_id}/live/")
    assert live(cast) == 1
    client.post(f"/health/model/{new.public_id}/live/")
    assert live(cast) == 2
    answer = client.post(f"/health/model/{new.public_id}/retirement/", follow=True).content.decode()
    assert live(cast) is None
    assert "The health score stands in." in answer
    assert f'action="/health/model/{new.public_id}/live/"' in answer, "the toast takes it back"
    assert client.post(f"/health/model/{new.public_id}/retirement/").status_code == 404
    with workspace_scope(cast.workspace.pk):
        actions = AuditEntry.objects.filter(action__startswith="health.model").values_list(
            "action", flat=True
        )
        assert sorted(actions) == ["health.model_version.retired", *["health.model_version.went_live"] * 2]


def test_what_did_not_pass_cannot_go_live(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        version = make(1, reason="no_better_than_chance", eligible=False)
    client = web(cast.ada)
    assert "/live/" not in client.get("/health/model/").content.decode()
    assert client.post(f"/health/model/{version.public_id}/live/").status_code == 404
    assert live(cast) is None


def test_training_is_asked_for_once_and_watched(cast: Cast) -> None:
    client = web(cast.ada)
    for _ in range(2):
        client.post("/health/model/trainings/")
    assert Job.objects.filter(kind=TRAIN_JOB).count() == 1
    assert "A model is being trained" in client.get("/health/model/").content.decode()
    assert "hx-get" in client.get("/health/model/trainings/").content.decode()
    Job.objects.all().delete()
    assert client.get("/health/model/trainings/")["HX-Redirect"] == "/health/model/"


def test_others_look_only(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        version = make(1)
    vera = web(cast.vera.user)
    assert "Train now" not in vera.get("/health/model/").content.decode()
    for path in ("trainings/", f"{version.public_id}/live/", f"{version.public_id}/retirement/"):
        assert vera.post(f"/health/model/{path}").status_code == 403


def test_drift_since_the_training_is_shown_by_name(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        version = make(1, live=True)
        shifted = {"as_of": TODAY.isoformat(), "asked": 31, "shifted": [["active_days_28", 0.41]]}
        ModelVersion.objects.filter(pk=version.pk).update(drift=shifted)
    page = web(cast.ada).get("/health/model/").content.decode()
    assert "1 of 31 columns looks different" in page
    assert "Active days in 28 days" in page

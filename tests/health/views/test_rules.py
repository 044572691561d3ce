"""Risk rules: bounds, what a change would do, and what it does."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from cs_platform.lib.scoping import workspace_scope
from health.models import Risk, RiskRule
from tests.conftest import Cast
from tests.health.views.measured import drain, measured_workspace, web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]
URL = "/health/rules/gone_quiet/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _measured(cast: Cast) -> None:
    """Alder was seen today, Birch 20 days ago."""
    measured_workspace(cast)


def typed(page: str = "", **changes: str) -> dict[str, str]:
    return {"is_enabled": "on", "severity": "2", "instruction": "", **changes}


def rule(cast: Cast) -> RiskRule:
    with workspace_scope(cast.workspace.pk):
        return RiskRule.objects.get(cause="gone_quiet")


def quiet(cast: Cast) -> list[str]:
    with workspace_scope(cast.workspace.pk):
        open_risks = Risk.objects.filter(cause="gone_quiet", closed_on__isnull=True)
        return sorted(open_risks.values_list("account__name", flat=True))


def parameter(cast: Cast) -> str:
    (name,) = rule(cast).parameters
    return f"p-{name}"


def test_the_preview_counts_before_anything_changes(cast: Cast) -> None:
    days = parameter(cast)
    client = web(cast.ada)
    assert "1 customer matches." in client.get(URL).content.decode()
    answer = client.post(URL, typed(**{days: "30"}), headers=HTMX)
    assert "1 customers match now, 0 would match with these values." in answer.content.decode()
    without_js = client.post(URL, typed(**{days: "30", "do": "preview"}))
    assert "0 would match" in without_js.content.decode()
    assert quiet(cast) == ["Birch"]


def test_saving_redoes_risks_and_queue(cast: Cast) -> None:
    days = parameter(cast)
    web(cast.ada).post(URL, typed(**{days: "30", "do": "save"}))
    assert quiet(cast) == ["Birch"]
    drain()
    assert quiet(cast) == []
    web(cast.ada).post(URL, typed(**{days: "15", "do": "save"}))
    drain()
    assert quiet(cast) == ["Birch"]
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action="health.risk_rule.changed").count() == 2


def test_a_rule_that_is_off_finds_nothing(cast: Cast) -> None:
    web(cast.ada).post(URL, {**typed(**{parameter(cast): "14", "do": "save"}), "is_enabled": ""})
    drain()
    assert quiet(cast) == []


@pytest.mark.parametrize("value", ["0", "-3", "100000", "", "many", "nan"])
def test_values_outside_the_bounds_are_refused(cast: Cast, value: str) -> None:
    before = rule(cast).parameters
    answer = web(cast.ada).post(URL, typed(**{parameter(cast): value, "do": "save"}))
    assert answer.status_code == 422
    assert f'value="{value}"' in answer.content.decode() or not value
    assert rule(cast).parameters == before


def test_the_default_instruction_stays_the_default(cast: Cast) -> None:
    client = web(cast.ada)
    page = client.get(URL)
    default = page.context["form"].initial["instruction"]
    client.post(URL, typed(**{parameter(cast): "14", "do": "save", "instruction": str(default)}))
    assert rule(cast).instruction == "", "an own text would no longer be translated"
    client.post(URL, typed(**{parameter(cast): "14", "do": "save", "instruction": "Call them."}))
    assert rule(cast).instruction == "Call them."
    assert "Call them." in client.get("/health/rules/").content.decode()


def test_others_look_only(cast: Cast) -> None:
    vera = web(cast.vera.user)
    assert "disabled" in vera.get(URL).content.decode()
    assert vera.post(URL, typed(**{parameter(cast): "30", "do": "save"})).status_code == 403
    assert vera.get("/health/rules/no_such_rule/").status_code == 404

"""Workspace, profile and audit log."""

from __future__ import annotations

import re

import pytest

from accounts.models import AuditEntry, User, Workspace
from accounts.services.audit import audit
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web
from tests.conftest import Cast

pytestmark = pytest.mark.django_db
VALUES = {
    "name": "Acme",
    "time_zone": "UTC",
    "language": "en",
    "report_currency": "usd",
    "horizon_days": "90",
    "night_hour": "2",
}


def workspace(cast: Cast) -> Workspace:
    return Workspace.objects.get(pk=cast.workspace.pk)


def test_the_index_offers_what_the_role_may_do(cast: Cast) -> None:
    assert "/settings/members/" in web(cast.ada).get("/settings/").content.decode()
    page = web(cast.vera.user).get("/settings/").content.decode()
    assert "/settings/members/" not in page
    assert "/settings/profile/" in page


def test_values_are_stored_and_told(cast: Cast) -> None:
    web(cast.ada).post("/settings/workspace/", {**VALUES, "name": "Acme Two", "night_hour": "4"})
    found = workspace(cast)
    assert (found.name, found.night_hour, found.report_currency) == ("Acme Two", 4, "USD")
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action="accounts.workspace.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("report_currency", "D0L"),
        ("report_currency", "ÄÖÜ"),
        ("horizon_days", "3"),
        ("horizon_days", "4000"),
        ("night_hour", "24"),
        ("name", ""),
    ],
)
def test_wrong_values_are_refused_and_shown_nowhere_else(cast: Cast, field: str, value: str) -> None:
    answer = web(cast.ada).post("/settings/workspace/", {**VALUES, "name": "Typed", field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "field-error" in page
    assert "Acme" in page, "the frame shows what is stored"
    assert workspace(cast).name == "Acme"


def test_a_new_time_zone_counts_the_days_again(cast: Cast) -> None:
    web(cast.ada).post("/settings/workspace/", {**VALUES, "time_zone": "Asia/Seoul"})
    assert run_due_jobs(limit=5, kind="health.refold") == 1
    web(cast.ada).post("/settings/workspace/", {**VALUES, "time_zone": "Asia/Seoul", "name": "Other"})
    assert run_due_jobs(limit=5, kind="health.refold") == 0


def test_a_profile_is_ones_own(cast: Cast) -> None:
    client = web(cast.vera.user)
    answer = client.post(
        "/settings/profile/", {"name": "Vera K", "language": "ko", "time_zone": "Asia/Seoul"}
    )
    vera = User.objects.get(pk=cast.vera.user.pk)
    assert (vera.name, vera.language, vera.time_zone) == ("Vera K", "ko", "Asia/Seoul")
    assert answer.cookies["django_language"].value == "ko"
    assert 'lang="ko"' in client.get("/settings/profile/").content.decode()
    assert client.post("/settings/profile/", {"name": "V", "language": "xx"}).status_code == 422


def test_a_second_tab_in_another_workspace_writes_nothing(cast: Cast) -> None:
    sent = {**VALUES, "name": "Wrong", "workspace": str(cast.other.public_id)}
    assert web(cast.ada).post("/settings/workspace/", sent).status_code == 409
    assert workspace(cast).name == "Acme"


def test_the_audit_log_is_paged_and_only_ones_own(cast: Cast) -> None:
    with workspace_scope(cast.other.pk):
        audit("accounts.elsewhere.happened", acting_user=cast.zoe)
    with workspace_scope(cast.workspace.pk):
        for _ in range(60):
            audit("accounts.here.happened", acting_user=cast.ada)
    client = web(cast.ada)
    first = client.get("/settings/audit/").content.decode()
    assert "accounts.here.happened" in first
    older = re.search(r'href="(\?before=\d+)"', first)
    assert older
    assert "accounts.workspace.created" in client.get(f"/settings/audit/{older[1]}").content.decode()
    assert client.get("/settings/audit/?before=nonsense").status_code == 200
    assert "accounts.elsewhere.happened" not in first
    assert web(cast.ben.user).get("/settings/audit/").status_code == 403

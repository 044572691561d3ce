"""Key features, and keys that name no account until somebody says which."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, AccountAlias, Workspace
from accounts.services.jobs import run_due_jobs
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.models import KeyFeature, UnattributedUser, UsageRollup
from health.services.fold import fold_workspace
from tests.builders import NOW, TODAY, make_account
from tests.conftest import Cast
from tests.health.views.measured import web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]


def use(account: Account, name: str, events: int = 3) -> None:
    UsageRollup.objects.create(
        account=account, day=TODAY - timedelta(days=2), name=name, events=events, quantity=events
    )


def send(client: Any, workspace: Workspace, group: str, count: int = 3) -> None:
    """Through the door that programs use."""
    with workspace_scope(workspace.pk):
        _, key = create_api_key(workspace=workspace, scope="write", acting_user=None)
    secret = b64encode(f"{key}:".encode()).decode()
    for number in range(count):
        body = {
            "userId": "mina",
            "event": "Report Made",
            "messageId": f"m{number}",
            "context": {"groupId": group},
            "timestamp": (NOW - timedelta(hours=number)).isoformat(),
        }
        answer = client.post(
            "/v1/track", body, content_type="application/json", headers={"Authorization": f"Basic {secret}"}
        )
        assert answer.status_code < 300, answer.content


def test_marked_names_are_key_features_and_stay_listed(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        account = make_account()
        use(account, "Report Made")
        use(account, "Page Viewed")
        KeyFeature.objects.create(name="Retired Thing", label="Old")
    client = web(cast.ada)
    answer = client.post("/health/features/", {"name": ["Report Made", "Retired Thing"]}, follow=True)
    page = answer.content.decode()
    assert "2 key features. The next nightly run uses them." in page
    assert [row.name for row in answer.context["names"]] == ["Report Made", "Retired Thing", "Page Viewed"]
    with workspace_scope(cast.workspace.pk):
        assert dict(KeyFeature.objects.values_list("name", "label")) == {
            "Report Made": "",
            "Retired Thing": "Old",
        }
    client.post("/health/features/", {})
    with workspace_scope(cast.workspace.pk):
        assert not KeyFeature.objects.exists()


def test_a_mapped_key_gives_its_events_to_the_account(cast: Cast, client: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        make_account("Northwind")
    send(client, cast.workspace, "nw-legacy-7")
    fold_workspace(cast.workspace.pk)
    ada = web(cast.ada)
    page = ada.get("/health/unattributed/").content.decode()
    assert "nw-legacy-7" in page
    ada.post("/health/unattributed/", {"key": "nw-legacy-7", "account": "northwind"})
    run_due_jobs(limit=20)
    fold_workspace(cast.workspace.pk)
    with workspace_scope(cast.workspace.pk):
        rows = UsageRollup.objects.filter(account__name="Northwind", name="Report Made")
        assert sum(rows.values_list("events", flat=True)) == 3
        assert not UnattributedUser.objects.filter(has_account=False).exists()
    assert "Every event has its account" in ada.get("/health/unattributed/").content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nobody", "No account has this id or name."),
        ("", "No account has this id or name."),
        ("Twin", "Several accounts have this name."),
        ("taken\x00", "No account has this id or name."),
    ],
)
def test_nothing_is_guessed(cast: Cast, typed: str, words: str) -> None:
    with workspace_scope(cast.workspace.pk):
        make_account("Twin", external_id="t1")
        make_account("Twin", external_id="t2")
        UnattributedUser.objects.create(group_key="k", events=1, first_at=NOW, last_at=NOW)
    answer = web(cast.ada).post("/health/unattributed/", {"key": "k", "account": typed})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with workspace_scope(cast.workspace.pk):
        assert not AccountAlias.objects.exists()


def test_a_key_cannot_name_two_accounts(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        make_account("First"), make_account("Second")
    client = web(cast.ada)
    client.post("/health/unattributed/", {"key": "k", "account": "first"})
    for key in ("k", "first"):
        answer = client.post("/health/unattributed/", {"key": key, "account": "second"})
        assert "This key already names another account." in answer.content.decode()


def test_others_look_only(cast: Cast) -> None:
    vera = web(cast.vera.user)
    for url in ("/health/features/", "/health/unattributed/"):
        assert vera.get(url).status_code == 200
        assert vera.post(url, {"name": "x", "key": "k", "account": "a"}).status_code == 403

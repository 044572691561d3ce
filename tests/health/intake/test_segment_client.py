"""The real client library, unchanged but for its host: every call arrives."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from segment.analytics.client import Client

from accounts.models import Account, Contact
from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountDay, Event, UserAlias
from health.services.fold import fold_workspace
from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture
def key(transactional_db: None, cast: Cast) -> str:
    with workspace_scope(cast.workspace.pk):
        return str(create_api_key(workspace=cast.workspace, scope="write", acting_user=None)[1])


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_every_call_of_the_client_arrives(cast: Cast, key: str, live_server: Any, compressed: bool) -> None:
    failures: list[Any] = []
    client = Client(
        key,
        host=live_server.url,
        gzip=compressed,
        max_retries=1,
        on_error=lambda error, batch: failures.append(error),
    )
    client.track("anon", "Signed Up", {"plan": "pro"}, timestamp=AT)
    client.identify("u1", {"email": "ann@acme.test", "name": "Ann", "role": "admin"}, timestamp=AT)
    client.group("u1", "acme", {"name": "Acme", "industry": "Steel", "seats": 12}, timestamp=AT)
    client.alias("anon", "u1", timestamp=AT)
    client.track("u1", "Report Created", {"quantity": 3}, timestamp=AT)
    client.page("u1", "Docs", "Pricing", timestamp=AT)
    client.screen("u1", "App", "Home", timestamp=AT)
    client.shutdown()
    assert not failures
    fold_workspace(cast.workspace.pk)
    with workspace_scope(cast.workspace.pk):
        assert (Account.objects.get().name, Account.objects.get().industry) == ("Acme", "Steel")
        ann = Contact.objects.get()
        assert (ann.external_id, ann.email, ann.role) == ("u1", "ann@acme.test", "admin")
        assert UserAlias.objects.get().key == "anon"
        assert set(Event.objects.values_list("name", "contact_id", "quantity")) == {
            ("Signed Up", ann.pk, 1.0),
            ("Report Created", ann.pk, 3.0),
            ("page:Pricing", ann.pk, 1.0),
            ("screen:Home", ann.pk, 1.0),
        }
        day = AccountDay.objects.get()
        assert (day.events, day.active_contacts, day.quantity) == (4, 1, 6.0)


def test_a_thousand_events_in_the_clients_own_batches(cast: Cast, key: str, live_server: Any) -> None:
    client = Client(key, host=live_server.url, upload_size=100, max_retries=1)
    for number in range(1_000):
        client.track(f"u{number % 50}", "Report Created", {"number": number}, timestamp=AT)
    client.shutdown()
    with workspace_scope(cast.workspace.pk):
        assert Event.objects.count() == 1_000


def test_the_client_learns_of_a_wrong_key(
    cast: Cast, key: str, live_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Any] = []
    client = Client(
        key[:-3] + "abc",
        host=live_server.url,
        max_retries=1,
        on_error=lambda error, batch: failures.append(error),
    )
    with caplog.at_level(logging.CRITICAL, "segment"):
        client.track("u1", "Report Created")
        client.shutdown()
    assert [failure.status for failure in failures] == [401]
    assert "write key" in failures[0].message

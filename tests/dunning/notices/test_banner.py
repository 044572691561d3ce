"""The banner by API: due from the first notice until it is settled; other systems hear of each notice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from accounts.models import Invoice, WebhookEndpoint, WebhookMessage
from cs_platform.lib.scoping import workspace_scope
from dunning.services.case_verbs import stop
from dunning.services.cases import look_at_invoice
from tests.api_world import api_key
from tests.dunning.notices.world import NOW, failed, let_days_pass, opened, owing
from tests.dunning.pay.world import path_of


def asked(client: Any, cast: Any, path: str, language: str = "en") -> Any:
    key = api_key(cast.workspace, "read")[1]
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
    answer = client.get(f"/api/v1{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_it_is_due_from_the_first_notice_until_it_is_paid(client: Any, cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        account, _ = owing()
        quiet, _ = owing("Quiet")
        invoice = failed(account)
        opened(invoice)
        opened(failed(quiet, code="insufficient_funds"))
    path = f"/accounts/{account.public_id}/payment-notice/"
    found = asked(client, cast, path)
    assert (found["is_due"], found["amounts"]) == (True, [{"amount_minor": 10_000, "currency": "USD"}])
    assert "did not go through" in found["message"] and "/pay/" in found["pay_url"]
    assert "결제가 처리되지" in asked(client, cast, path, "ko")["message"]
    assert client.get(path_of(found["pay_url"])).status_code == 200
    both = asked(client, cast, f"/payment-notices/?account={quiet.external_id}")["results"]
    assert [(one["account"], one["is_due"], one["amounts"], one["pay_url"]) for one in both] == [
        ("quiet", False, None, None)
    ]
    with workspace_scope(cast.workspace.pk):
        Invoice.objects.filter(pk=invoice.pk).update(status="paid", paid_at=NOW)
        look_at_invoice(invoice.pk, now=NOW)
    assert asked(client, cast, path)["is_due"] is False


def test_several_currencies_are_told_side_by_side(client: Any, cast: Any) -> None:
    """Never one sum of two, never one of them for both: in the banner, in the list and to other systems."""
    with workspace_scope(cast.workspace.pk):
        WebhookEndpoint.objects.create(
            url="https://example.com/hook", secret="whsec_x", event_types=["dunning.notice_due"]
        )
        account, _ = owing()
        cases = [
            opened(failed(account, 1, currency="EUR", at=NOW - timedelta(minutes=2))),
            opened(failed(account, 2, at=NOW - timedelta(minutes=1))),
            opened(failed(account, 3)),
        ]
        let_days_pass(cases[0], 0)
        told = [message.payload["amounts"] for message in WebhookMessage.objects.order_by("pk")]
    owed = [{"amount_minor": 10_000, "currency": "EUR"}, {"amount_minor": 20_000, "currency": "USD"}]
    assert told and owed in told
    found = asked(client, cast, f"/accounts/{account.public_id}/payment-notice/")
    assert found["amounts"] == owed and "amount_minor" not in found
    listed = asked(client, cast, "/payment-notices/")["results"]
    assert [one["amounts"] for one in listed] == [owed]


def test_a_stopped_case_shows_no_banner(client: Any, cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        account, _ = owing()
        stop(case=opened(failed(account)), acting_user=cast.ada, now=NOW)
    assert asked(client, cast, f"/accounts/{account.public_id}/payment-notice/")["is_due"] is False


def test_other_systems_hear_of_each_notice_once(scope: Any) -> None:
    WebhookEndpoint.objects.create(
        url="https://example.com/hook", secret="whsec_x", event_types=["dunning.notice_due"]
    )
    account, person = owing()
    case = opened(failed(account))
    let_days_pass(case, 0)
    let_days_pass(case, 0)
    message = WebhookMessage.objects.get(event_type="dunning.notice_due")
    assert message.payload["position"] == "first"
    assert message.payload["contact"] == str(person.public_id) and "/pay/" in message.payload["pay_url"]
    assert person.email not in json.dumps(message.payload)

"""Outgoing webhooks: told once, signed, repeated until taken, switched off when nobody is there."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils.translation import override

from accounts.models import Job, Notification, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.registry import webhook_events
from accounts.services import webhooks
from accounts.services.jobs import run_due_jobs
from accounts.services.webhooks import DELIVER_JOB, PAUSES, emit
from cs_platform.lib.registry import UnknownName
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.receiver import receiver
from tests.accounts.web import web
from tests.builders import NOW

EVENT = "account.churned"
Status = WebhookDelivery.Status


@pytest.fixture
def there(settings):
    with receiver(settings) as book:
        yield book


@pytest.fixture
def endpoint(cast, there):
    with workspace_scope(cast.workspace.pk):
        return webhooks.add_endpoint(
            url=there.url, description="", event_types=[], acting_user=cast.ada, now=NOW
        )


def tell(cast, key="1", event=EVENT):
    with workspace_scope(cast.workspace.pk):
        return emit(event, {"name": "Northwind"}, cause_key=key, now=NOW)


def deliver():
    """Everything that waits, due or not."""
    Job.objects.filter(kind=DELIVER_JOB).update(due_at="2000-01-01T00:00:00Z")
    return run_due_jobs(limit=50, kind=DELIVER_JOB)


def the_delivery(cast):
    with workspace_scope(cast.workspace.pk):
        return WebhookDelivery.objects.select_related("message").get()


def test_a_message_arrives_once_and_signed(cast, endpoint, there):
    assert (tell(cast), tell(cast)) == (1, 0)
    assert deliver() == 1
    (_, body), *others = there.got
    assert not others
    assert there.is_signed(endpoint.secret)
    content = json.loads(body)
    assert (content["type"], content["data"]) == (EVENT, {"name": "Northwind"})
    assert the_delivery(cast).status == Status.DELIVERED
    assert deliver() == 0


def test_an_altered_body_does_not_fit_its_signature(cast, endpoint, there):
    tell(cast)
    deliver()
    headers, body = there.got[0]
    there.got[0] = headers, body.replace(b"Northwind", b"Southwind")
    assert not there.is_signed(endpoint.secret)


def test_the_same_id_is_sent_until_it_is_taken(cast, endpoint, there):
    there.answers = [500, 503, 200]
    tell(cast)
    for _ in range(3):
        deliver()
    assert len({headers["webhook-id"] for headers, _ in there.got}) == 1
    with workspace_scope(cast.workspace.pk):
        assert list(WebhookAttempt.objects.order_by("number").values_list("status_code", flat=True)) == [
            500,
            503,
            200,
        ]
    assert the_delivery(cast).status == Status.DELIVERED


def test_pauses_grow_and_end(cast, endpoint, there):
    there.default = 500
    tell(cast)
    for pause in PAUSES:
        before = Job.objects.get(kind=DELIVER_JOB)
        Job.objects.filter(pk=before.pk).update(due_at="2000-01-01T00:00:00Z")
        run_due_jobs(limit=1, kind=DELIVER_JOB)
        delivery = the_delivery(cast)
        with workspace_scope(cast.workspace.pk):
            last = WebhookAttempt.objects.order_by("-number").first()
        assert delivery.next_at - last.attempted_at == pause
    deliver()
    assert (the_delivery(cast).status, len(there.got)) == (Status.FAILED, len(PAUSES) + 1)
    assert not Job.objects.filter(kind=DELIVER_JOB).exists()


def test_five_days_without_success_switch_it_off_and_tell_the_admins(cast, endpoint, there):
    there.default = 500
    with workspace_scope(cast.workspace.pk):
        WebhookEndpoint.objects.update(failing_since=NOW - timedelta(days=5))
    tell(cast)
    with time_machine.travel(NOW, tick=False):
        deliver()
    with workspace_scope(cast.workspace.pk):
        assert WebhookEndpoint.objects.get().disabled_reason == "failing"
        assert Notification.objects.get().membership.user_id == cast.ada.pk
    assert tell(cast, "2") == 0
    deliver()
    assert the_delivery(cast).status == Status.CANCELED
    assert len(there.got) == 1


def test_gone_switches_it_off_at_once(cast, endpoint, there):
    there.default = 410
    tell(cast)
    deliver()
    with workspace_scope(cast.workspace.pk):
        assert WebhookEndpoint.objects.get().disabled_reason == "gone"


def test_nobody_hears_of_what_they_did_not_ask_for(cast, endpoint, there):
    with workspace_scope(cast.workspace.pk):
        WebhookEndpoint.objects.update(event_types=["risk.opened"])
    assert tell(cast) == 0
    assert tell(cast, event="risk.opened") == 1
    with pytest.raises(UnknownName):
        tell(cast, event="account.chruned")


def test_both_secrets_sign_while_one_takes_over(cast, endpoint, there):
    old = endpoint.secret
    with workspace_scope(cast.workspace.pk):
        webhooks.rotate_secret(endpoint=endpoint, acting_user=cast.ada, now=NOW)
    tell(cast)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        deliver()
    assert there.is_signed(old) and there.is_signed(endpoint.secret)
    tell(cast, "2")
    with time_machine.travel(NOW + timedelta(hours=25), tick=False):
        deliver()
    assert there.is_signed(endpoint.secret) and not there.is_signed(old)


def test_a_private_address_is_refused_on_the_page_and_on_the_wire(cast, settings):
    client = web(cast.ada)
    page = client.post("/settings/webhooks/new/", {"url": "http://10.0.0.1/", "description": ""})
    assert page.status_code == 422 and "https://" in page.content.decode()
    with workspace_scope(cast.workspace.pk):
        webhooks.add_endpoint(
            url="https://127.0.0.1/", description="", event_types=[], acting_user=cast.ada, now=NOW
        )
    tell(cast)
    deliver()
    with workspace_scope(cast.workspace.pk):
        assert WebhookAttempt.objects.get().error == "address_not_public"


def test_the_log_sends_again_with_the_same_id(cast, endpoint, there):
    tell(cast)
    deliver()
    client = web(cast.ada)
    delivery = the_delivery(cast)
    page = client.get(f"/settings/webhooks/{endpoint.public_id}/").content.decode()
    assert EVENT in page and "Northwind" in page
    client.post(f"/settings/webhooks/deliveries/{delivery.public_id}/replay/")
    deliver()
    assert [headers["webhook-id"] for headers, _ in there.got] == [
        f"msg_{delivery.message.public_id.hex}"
    ] * 2


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_kind_of_message_is_named_in_one_style(language):
    """A clause that begins with a capital, or, in Korean, says "when"; never a code, never a full stop."""
    with override(language):
        labels = [str(event.label) for event in webhook_events]
    assert len(labels) == len(set(labels)) > 5
    for label in labels:
        assert (label[0].isupper() and label[-1] != ".") if language == "en" else label.endswith("때"), label


def test_pages_name_what_an_endpoint_hears_of_in_words(cast):
    with workspace_scope(cast.workspace.pk):
        endpoint = WebhookEndpoint.objects.create(
            url="https://example.com/hook", secret="whsec_x", event_types=["dunning.notice_due", "gone.kind"]
        )
    client = web(cast.ada)
    for path in ("/settings/webhooks/", f"/settings/webhooks/{endpoint.public_id}/"):
        assert "A notice of a failed payment is due" in client.get(path).content.decode()

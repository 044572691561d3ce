"""The page that connects Stripe: what the key may do, secrets that never come back, going away."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.events import sign
from accounts.models import (
    AuditEntry,
    BillingConnection,
    BillingCustomer,
    BillingMessage,
    BillingSync,
    Invoice,
    Job,
)
from accounts.services.billing_inbox import MESSAGE_JOB, store
from cs_platform.lib.database_clock import database_now
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.billing.conftest import SECRET, connect
from tests.accounts.billing.flood import drain, due_now, events_of

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "rk_test_restricted_one"
ALL = {
    **dict.fromkeys(("customer", "subscription", "invoice", "checkout_session"), "write"),
    **dict.fromkeys(("charge", "payment_intent", "payment_method", "setup_intent"), "read"),
    **dict.fromkeys(("product", "plan", "coupon", "event", "account"), "read"),
}


@pytest.fixture
def admin(cast) -> Client:
    client = Client()
    client.force_login(cast.ada)
    return client


def the_connection(cast) -> BillingConnection | None:
    with workspace_scope(cast.workspace.pk):
        return BillingConnection.objects.filter(disconnected_at__isnull=True).first()


def post(client: Client, name: str, **values):
    return client.post(f"/settings/billing/{name}/", values, follow=True)


def test_a_key_with_every_right_connects_and_reads(cast, admin, stripe_address):
    stripe_address.seed(2, plans=[["ok"]], subscriptions=True)
    stripe_address.control("POST", "keys", key=KEY, permissions=ALL)
    page = post(admin, "key", api_key=f" {KEY} ", webhook_secret=SECRET)
    assert "The key works and has every right" in page.content.decode()
    connected = the_connection(cast)
    assert (connected.api_key, connected.webhook_secret, connected.missing) == (KEY, SECRET, [])
    assert connected.account_name == "Example Software" and not connected.is_live
    for secret in (KEY, SECRET):
        assert secret not in page.content.decode()
        assert secret not in admin.get("/settings/billing/").content.decode()
    drain()
    with workspace_scope(cast.workspace.pk):
        assert BillingSync.objects.get().state == "done"
        assert Invoice.objects.filter(status="paid").count() == 2
        data = AuditEntry.objects.filter(action="accounts.billing_connection.connected").get().data
    assert KEY not in str(data)
    assert stripe_address.ledger(), "the seeds"
    changes = [r for r in stripe_address.requests() if r["method"] != "GET" and r["status"] == 200]
    assert changes == [], "checking a key changes nothing"


def test_each_missing_right_is_named_and_looked_at_again(cast, admin, stripe_address):
    for name in sorted(ALL.keys() - {"account"}):
        stripe_address.control(
            "POST", "keys", key=KEY, permissions={k: v for k, v in ALL.items() if k != name}
        )
        post(admin, "key", api_key=KEY, webhook_secret=SECRET)
        assert [missing.rpartition("_")[0] for missing in the_connection(cast).missing] == [name]
    page = admin.get("/settings/billing/").content.decode()
    assert "Rights are missing" in page and "Subscriptions: <strong>Write" in page
    stripe_address.control("POST", "keys", key=KEY, permissions=ALL)
    assert "Rights are missing" not in post(admin, "rights").content.decode()
    assert the_connection(cast).missing == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("pk_test_12345678", "publishable key"),
        ("whsec_12345678", "signing secret of the webhook"),
        ("rk_test_unknown_key", "does not know this key"),
        ("nothing", "no key of Stripe"),
        ("rk_live_…4242", "not whole"),
        ("", "This field is required"),
    ],
)
def test_a_wrong_key_connects_nothing_and_says_why(cast, admin, stripe_address, key, words):
    page = post(admin, "key", api_key=key, webhook_secret=SECRET)
    told = page.content.decode()
    assert page.status_code == 422 and words in told and "Nothing was saved" in told
    assert re.search(r'<input[^>]*name="api_key"[^>]*autofocus', told), (
        "the page opens where the error stands"
    )
    assert SECRET not in told and (not key or key not in told)
    assert the_connection(cast) is None
    again = admin.get("/settings/billing/key/")
    assert (again.status_code, again["Location"]) == (302, "/settings/billing/"), "loaded again"


def test_a_provider_that_does_not_answer_is_no_wrong_key(cast, admin, stripe_address, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    page = post(admin, "key", api_key=KEY, webhook_secret=SECRET)
    assert "could not be reached" in page.content.decode() and the_connection(cast) is None


def test_a_key_of_another_mode_does_not_mix_two_ledgers(cast, admin, stripe_address):
    connect(cast, account_ref="acct_another", account_name="Somebody else")
    page = post(admin, "key", api_key="sk_test_fake")
    assert "another company" in page.content.decode()
    assert the_connection(cast).account_ref == "acct_another"


@pytest.mark.parametrize(
    ("is_live", "words"), [(True, "key of the test mode"), (False, "key of the live mode")]
)
def test_a_key_of_the_other_mode_is_told_apart(cast, admin, stripe_address, is_live, words):
    account = stripe_address.client().v1.accounts.retrieve_current().id
    connect(cast, account_ref=account, account_name="Example Software", is_live=is_live)
    key = "rk_test_other_mode" if is_live else "rk_live_other_mode"
    stripe_address.control("POST", "keys", key=key, permissions=ALL)
    page = post(admin, "key", api_key=key)
    assert page.status_code == 422 and words in page.content.decode()
    assert the_connection(cast).is_live == is_live


def test_a_secret_of_another_endpoint_is_seen_on_the_page(cast, admin, connected, deliver):
    """Messages that are not proven leave a trace, until one is, or the secret is another."""
    words = "Messages arrive, but are not taken"
    body = b'{"id": "evt_1", "object": "event", "type": "ping", "created": 1, "data": {"object": {}}}'
    assert deliver(body, header="nothing") == 400
    assert words not in admin.get("/settings/billing/").content.decode(), "anybody can post"
    assert deliver(body, secret="whsec_of_another_endpoint") == 400
    page = admin.get("/settings/billing/").content.decode()
    assert words in page and "does not fit the signing secret" in page
    assert deliver(body) == 200
    assert words not in admin.get("/settings/billing/").content.decode()
    with workspace_scope(cast.workspace.pk):
        BillingConnection.objects.update(unproven_at=timezone.now() - timedelta(minutes=2))
    late = sign(body, SECRET, timezone.now() - timedelta(minutes=10))
    assert deliver(body, header=late) == 400
    assert "this server" in admin.get("/settings/billing/").content.decode()
    post(admin, "secret", webhook_secret="whsec_of_another_endpoint")
    assert words not in admin.get("/settings/billing/").content.decode()
    page = post(admin, "secret", webhook_secret="rk_test_not_a_secret")
    assert page.status_code == 422 and "not the signing secret" in page.content.decode()


def test_what_was_set_aside_is_tried_again_or_dismissed(cast, admin, connected):
    with workspace_scope(cast.workspace.pk):
        rows = [
            BillingMessage.objects.create(
                message_id=f"evt_{n}", message_type="invoice.paid", object_id="in_1", body=b"{}",
                made_at=timezone.now(), received_at=timezone.now(), parked_at=timezone.now(), failures=5,
                last_error="KeyError",
            )
            for n in range(3)
        ]  # fmt: skip
    page = admin.get("/settings/billing/parked/").content.decode()
    assert page.count("An error of this program (KeyError)") == 3
    left = f"parked/{rows[0].public_id}/trial"
    assert "Dismissed" in post(admin, left, act="dismiss").content.decode()
    assert "already" in post(admin, left, act="dismiss").content.decode()
    assert "2 messages are being tried again" in post(admin, "parked").content.decode()
    with workspace_scope(cast.workspace.pk):
        gone = BillingMessage.objects.get(pk=rows[0].pk)
        assert gone.processed_at and gone.body is None and gone.last_error == "KeyError"
        assert Job.objects.filter(kind=MESSAGE_JOB, object_id__in=[row.pk for row in rows]).count() == 2
        actions = AuditEntry.objects.filter(action__startswith="accounts.billing_message.")
        assert sorted(actions.values_list("action", flat=True)) == [
            "accounts.billing_message.dismissed", *["accounts.billing_message.tried_again"] * 2
        ]  # fmt: skip


def test_going_away_asks_forgets_the_secrets_and_keeps_the_mirror(cast, admin, stripe_address):
    stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    post(admin, "key", api_key="sk_test_fake", webhook_secret=SECRET)
    drain()
    assert "What was mirrored stays" in admin.get("/settings/billing/disconnection/").content.decode()
    assert the_connection(cast) is not None
    post(admin, "disconnection")
    with workspace_scope(cast.workspace.pk):
        gone = BillingConnection.objects.get()
        assert (gone.api_key, gone.webhook_secret, gone.previous_secret) == ("", "", "")
        assert Invoice.objects.count() == 1
    post(admin, "key", api_key="sk_test_fake", webhook_secret=SECRET)
    assert the_connection(cast).pk != gone.pk


def test_others_see_nothing_of_it(cast, stripe_address):
    client = Client()
    client.force_login(cast.ben.user)
    assert client.get("/settings/billing/").status_code == 403


def test_neither_key_nor_customer_is_in_a_log(cast, admin, stripe_address, capfd, caplog):
    """Refused keys, refused requests, answers that cannot be read, a customer's name in an error."""
    caplog.set_level("DEBUG")
    stripe_address.seed(1, plans=[["ok"]], subscriptions=True)
    unknown = "rk_test_canary_of_a_key"
    post(admin, "key", api_key=unknown, webhook_secret=SECRET)
    stripe_address.control("POST", "keys", key=KEY, permissions=ALL)
    post(admin, "key", api_key=KEY, webhook_secret=SECRET)
    for kind in ("malformed", "error_before", "rate_limit"):
        stripe_address.fault(kind, method="GET", path="/v1/*", next=2)
        due_now(cast.workspace)
        drain()
    client = stripe_address.client()
    client.v1.customers.create({"name": "Canary Of A Customer", "email": "canary@customer.example"})
    stripe_address.fault("malformed", method="GET", path="/v1/customers/*", next=2)
    for event in events_of(stripe_address):
        with workspace_scope(cast.workspace.pk):
            store(event, received_at=database_now())
    for _ in range(3):
        due_now(cast.workspace)
        drain()
    with workspace_scope(cast.workspace.pk):
        assert BillingCustomer.objects.filter(email="canary@customer.example").exists(), "it was read"
    written = "".join(capfd.readouterr()) + caplog.text
    for secret in (unknown, KEY, SECRET, "Canary Of A", "canary@customer"):
        assert secret not in written

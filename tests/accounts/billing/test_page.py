"""The page that connects Stripe: what the key may do, secrets that never come back, going away."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, BillingConnection, BillingCustomer, BillingSync, Invoice
from accounts.services.billing_inbox import store
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
        ("", "This field is required"),
    ],
)
def test_a_wrong_key_connects_nothing_and_says_why(cast, admin, stripe_address, key, words):
    page = post(admin, "key", api_key=key, webhook_secret=SECRET)
    assert page.status_code == 422 and words in page.content.decode()
    assert the_connection(cast) is None


def test_a_provider_that_does_not_answer_is_no_wrong_key(cast, admin, stripe_address, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    page = post(admin, "key", api_key=KEY, webhook_secret=SECRET)
    assert "could not be reached" in page.content.decode() and the_connection(cast) is None


def test_a_key_of_another_mode_does_not_mix_two_ledgers(cast, admin, stripe_address):
    connect(cast, account_ref="acct_another", account_name="Somebody else")
    page = post(admin, "key", api_key="sk_test_fake")
    assert "another company" in page.content.decode()
    assert the_connection(cast).account_ref == "acct_another"


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

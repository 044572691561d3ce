"""Events: what they say, signed, at least once; doubled, shuffled, late or lost by plan; and read back by listing."""

import pytest
import stripe

from tests.fake_stripe.receiver import SECRET, receiving
from tests.fake_stripe.shop import DAY, START


@pytest.fixture
def receiver(shop):
    with receiving() as receiver:
        shop.fake.webhook(receiver.url, SECRET)
        yield receiver
        shop.fake.control("POST", "reset")


def test_they_are_signed_and_verified_by_the_sdk(shop, receiver):
    invoice = shop.open_invoice("insufficient_funds", "ok")
    shop.refused(invoice.id)
    shop.pay(invoice.id)
    states = shop.fake.wait_delivered()
    assert states["delivered"] == len(receiver.bodies)
    assert set(receiver.types()) >= {
        "invoice.payment_failed",
        "charge.failed",
        "charge.succeeded",
        "invoice.paid",
    }
    body, header = receiver.bodies[0]
    for wrong in (body + b" ", body):
        secret = SECRET if wrong != body else "whsec_other"
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(wrong, header, secret)


def test_an_update_says_what_was_before(shop, receiver):
    customer, _ = shop.customer("ok", "insufficient_funds")
    subscription = shop.subscribe(customer)
    shop.fake.advance(days=32)
    shop.fake.wait_delivered()
    changes = [
        event.data.to_dict()["previous_attributes"]
        for event in receiver.events()
        if event.type == "customer.subscription.updated"
    ]
    assert {"status": "active"} in changes
    assert {"status": "incomplete"} in changes
    renewal = next(one for one in changes if "items" in one)
    assert renewal["items"]["data"][0]["current_period_start"] == START
    assert shop.subscription(subscription.id).status == "past_due"


def test_duplicates_are_the_same_event(shop, receiver):
    shop.fake.delivery(duplicates=[2, 4], reorder=False)
    shop.customer()
    shop.fake.wait_delivered()
    ids = [event.id for event in receiver.events()]
    counts = {one: ids.count(one) for one in ids}
    assert len(counts) == 3
    assert set(counts.values()) <= {2, 3, 4}


def test_shuffled_on_demand(shop, receiver):
    shop.fake.delivery(workers=1)
    shop.pay(shop.open_invoice().id)
    shop.fake.wait_delivered()
    in_order = receiver.types()
    assert in_order == shop.event_types()[-len(in_order) :]
    receiver.bodies.clear()
    shop.fake.delivery(reorder=True)
    shop.pay(shop.open_invoice().id)
    shop.fake.wait_delivered()
    assert sorted(receiver.types()) == sorted(in_order) and receiver.types() != in_order


def test_delivered_again_until_the_shop_answers_2xx(shop, receiver):
    shop.fake.delivery(retry_seconds=[0.05, 0.05, 0.05], workers=1)
    receiver.status.extend([500, 302, 404])
    shop.stripe.customers.create({"name": "x"})
    assert shop.fake.wait_delivered()["delivered"] == 1
    assert receiver.types() == ["customer.created"] * 4


def test_given_up_and_lost_ones_are_found_by_listing(shop, receiver):
    shop.fake.delivery(retry_seconds=[], workers=1)
    receiver.status.append(500)
    failed = shop.stripe.customers.create({"name": "failed"})
    shop.fake.wait_delivered()
    shop.fake.delivery(drop_share=1.0)
    lost = shop.stripe.customers.create({"name": "lost"})
    shop.fake.delivery(drop_share=0.0)
    shop.stripe.customers.create({"name": "fine"})
    shop.fake.wait_delivered()
    missed = shop.stripe.events.list({"delivery_success": False}).data
    assert [event.data.object.id for event in missed] == [lost.id, failed.id]
    assert len(shop.stripe.events.list({"delivery_success": True, "type": "customer.created"}).data) == 1
    assert shop.fake.control("POST", "redeliver", state="dropped") == {"queued": 1}
    assert shop.fake.wait_delivered()["dropped"] == 0


def test_late_by_plan(shop, receiver):
    shop.fake.delivery(delay_seconds=0.6)
    shop.stripe.customers.create({"name": "x"})
    assert shop.fake.control("GET", "delivery")["states"]["pending"] == 1
    assert receiver.bodies == []
    shop.fake.wait_delivered()
    assert receiver.types() == ["customer.created"]


def test_listed_by_type_time_and_pattern(shop):
    shop.customer()
    shop.fake.advance(days=1)
    shop.pay(shop.open_invoice().id)
    api = shop.stripe
    assert {one.type for one in api.events.list({"type": "invoice.*"}).data} >= {
        "invoice.paid",
        "invoice.created",
    }
    types = ["invoice.paid", "charge.succeeded"]
    assert {one.type for one in api.events.list({"types": types}).data} == set(types)
    assert all(one.created >= START + DAY for one in api.events.list({"created": {"gte": START + DAY}}).data)
    with pytest.raises(stripe.InvalidRequestError, match="not both"):
        api.events.list({"type": "a", "types": ["b"]})
    shop.fake.advance(days=31)
    assert api.events.list().data == []


def test_they_name_the_request_that_caused_them(shop):
    invoice = shop.open_invoice()
    paid = shop.pay(invoice.id, "my-key")
    event = shop.stripe.events.list({"type": "invoice.paid"}).data[0]
    assert event.request.id == paid.last_response.request_id
    assert event.request.idempotency_key == "my-key"
    assert event.data.object.id == invoice.id


def test_a_rolled_secret_signs_beside_the_old_one(shop):
    with receiving() as receiver:
        shop.fake.webhook(receiver.url, "whsec_new", previous_secret=SECRET)
        shop.stripe.customers.create({"name": "x"})
        shop.fake.wait_delivered()
        body, header = receiver.bodies[0]
        assert header.count("v1=") == 2
        for secret in ("whsec_new", SECRET):
            assert stripe.Webhook.construct_event(body, header, secret).type == "customer.created"


def test_events_by_hand(shop, receiver):
    customer, _ = shop.customer()
    gone = {"id": "sub_gone", "object": "subscription", "status": "active"}
    shop.fake.emit("customer.subscription.updated", gone, {"status": "past_due"})
    made = shop.fake.emit("customer.teleported", customer)
    shop.fake.wait_delivered()
    assert {"customer.subscription.updated", "customer.teleported"} <= set(receiver.types())
    assert shop.stripe.events.retrieve(made).data.object.id == customer


def test_an_endpoint_gets_only_what_it_asked_for(shop):
    with receiving() as receiver:
        endpoint = shop.stripe.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["invoice.paid"]}
        )
        assert endpoint.secret.startswith("whsec_")
        shop.pay(shop.open_invoice().id)
        shop.fake.wait_delivered()
        assert len(receiver.bodies) == 1
        body, header = receiver.bodies[0]
        assert stripe.Webhook.construct_event(body, header, endpoint.secret).type == "invoice.paid"
        shop.stripe.webhook_endpoints.delete(endpoint.id)
        shop.pay(shop.open_invoice().id)
        assert len(receiver.bodies) == 1

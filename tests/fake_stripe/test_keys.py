"""Keys: unknown ones, expired ones, and restricted ones whose missing permission is named."""

import pytest
import stripe

from tests.fake_stripe.running import Refused


def test_unknown_and_expired_keys(fake_stripe):
    with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: sk_test_\*+ight"):
        fake_stripe.client("sk_test_not_right").v1.customers.list()
    fake_stripe.control("POST", "keys", key="rk_test_old", permissions="expired")
    with pytest.raises(stripe.AuthenticationError, match="Expired API Key") as raised:
        fake_stripe.client("rk_test_old").v1.customers.list()
    assert raised.value.error.code == "api_key_expired"


def test_a_restricted_key_is_told_what_it_lacks(fake_stripe):
    permissions = {"customer": "read", "invoice": "write"}
    fake_stripe.control("POST", "keys", key="rk_test_shop", permissions=permissions)
    api = fake_stripe.client("rk_test_shop").v1
    assert api.customers.list().data == []
    assert api.invoices.list().data == []
    with pytest.raises(stripe.PermissionError, match="'rak_customer_write'"):
        api.customers.create({"name": "x"})
    with pytest.raises(stripe.PermissionError, match="'rak_event_read'"):
        api.events.list()


def test_permissions_are_checked_before_parameters(fake_stripe):
    fake_stripe.control("POST", "keys", key="rk_test_none", permissions={})
    with pytest.raises(stripe.PermissionError, match="rak_subscription_write"):
        fake_stripe.client("rk_test_none").v1.subscriptions.create({"coupon": "x"})


def test_a_misspelt_permission_is_refused_by_the_control_api(fake_stripe):
    with pytest.raises(Refused, match="unknown permissions"):
        fake_stripe.control("POST", "keys", key="rk_test_x", permissions={"customers": "read"})

"""A connected workspace on the fake Stripe, and jobs run in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.gateways.stripe.events import sign
from accounts.models import BillingConnection, Workspace
from cs_platform.lib.scoping import workspace_scope
from tests.conftest import Cast
from tests.fake_stripe.running import FakeStripe, fake_stripe, fake_stripe_process

__all__ = ["fake_stripe", "fake_stripe_process"]
SECRET = "whsec_test_signing_secret"


@pytest.fixture
def stripe_address(fake_stripe: FakeStripe, settings: Any) -> FakeStripe:
    settings.STRIPE_API_BASE = fake_stripe.url
    return fake_stripe


@pytest.fixture
def connected(cast: Cast, stripe_address: FakeStripe) -> BillingConnection:
    """Acme, connected; nothing was read yet."""
    return connect(cast)


def connect(cast: Cast, workspace: Workspace | None = None, **fields: Any) -> BillingConnection:
    with workspace_scope((workspace or cast.workspace).pk):
        values = {"api_key": "sk_test_fake", "webhook_secret": SECRET, "connected_at": timezone.now()}
        return BillingConnection.objects.create(**{**values, "calls_per_second": 1000, **fields})


@pytest.fixture
def deliver(cast: Cast) -> Callable[..., int]:
    """Post a message as Stripe does; returns the status of the answer."""

    def post(body: bytes, *, secret: str = SECRET, header: str | None = None) -> int:
        signature = sign(body, secret, timezone.now()) if header is None else header
        answer = Client().post(
            f"/webhooks/stripe/{cast.workspace.public_id}/",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": signature} if signature else {},
        )
        return int(answer.status_code)

    return post

"""Tests of the fake itself need no database."""

import pytest

from tests.fake_stripe.running import FakeStripe
from tests.fake_stripe.shop import Shop, open_shop


@pytest.fixture
def shop(fake_stripe: FakeStripe) -> Shop:
    return open_shop(fake_stripe)

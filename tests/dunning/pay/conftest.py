from __future__ import annotations

from typing import Any

import pytest

from cs_platform.lib.scoping import workspace_scope
from tests.dunning.engine import world
from tests.dunning.pay.world import Shop
from tests.fake_stripe.running import FakeStripe


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        world.connect(per_second=1000)
    return Shop(fake_stripe, cast)

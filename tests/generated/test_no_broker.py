"""While the broker is away every page still answers, also those that hand work to the background."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from accounts.models import Role
from accounts.tasks import nudge
from cs_platform.embedded.valkey import Valkey
from cs_platform.lib.scoping import workspace_scope
from tests.access.table import OURS, path_of, signed_in
from tests.crowd import lived_in
from tests.generated.test_query_counts import roles_with_or_all


@pytest.mark.worker
def test_every_address_answers_without_a_broker(valkey: Any, valkey_server: Valkey, cast: Any) -> None:
    with workspace_scope(cast.workspace.pk):
        made = lived_in(cast.workspace)
    client, statuses = signed_in(cast.ada), Counter[int]()
    client.raise_request_exception = False
    valkey_server.stop()
    try:
        for address in OURS:
            if Role.OWNER not in roles_with_or_all(address.permission):
                continue
            path = path_of(address, made)
            for answer in (client.get(path), client.post(path, {"workspace": cast.workspace.public_id})):
                statuses[answer.status_code] += 1
                assert answer.status_code < 500, address
    finally:
        valkey_server.start()
    assert statuses[200] > 80
    assert statuses[302] > 20, "hardly anything was written: the run proves nothing"


@pytest.mark.worker
def test_a_hint_that_cannot_be_sent_does_not_hold_up_a_page(valkey: Any, valkey_server: Valkey) -> None:
    nudge()
    valkey_server.stop()
    try:
        began = time.monotonic()
        for _ in range(3):
            nudge()
        assert time.monotonic() - began < 1.5
    finally:
        valkey_server.start()

"""Every test of the intake starts without remembered keys and with full buckets, and may send with a key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.services.workspaces import create_api_key
from cs_platform.lib.scoping import workspace_scope
from health.api import intake
from tests.conftest import Cast
from tests.health.intake.messages import basic


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    yield
    intake._keys.known.clear()
    intake._pace.cache_clear()


@pytest.fixture
def key(cast: Cast) -> str:
    with workspace_scope(cast.workspace.pk):
        return str(create_api_key(workspace=cast.workspace, scope="write", acting_user=None)[1])


@pytest.fixture
def send(client: Client, key: str) -> Any:
    """`send(path, body)`: the answer; a body that is not bytes goes as JSON."""

    def post(path: str, body: Any, *, with_key: str = key, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": basic(with_key), **headers}
        return client.post(f"/v1/{path}", data, content_type="application/json", headers=headers)

    return post

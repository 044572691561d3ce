"""One live row of each kind, in Acme."""

from typing import Any

import pytest

from cs_platform.lib.scoping import workspace_scope
from tests.access.table import rows


@pytest.fixture
def made(cast) -> dict[str, Any]:
    with workspace_scope(cast.workspace.pk):
        return rows(cast.workspace)

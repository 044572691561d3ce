"""The importer of Acme."""

from pathlib import Path

import pytest

from tests.accounts.imports.files import Importer
from tests.conftest import Cast


@pytest.fixture
def bring(cast: Cast, tmp_path: Path) -> Importer:
    return Importer(tmp_path, cast.workspace)

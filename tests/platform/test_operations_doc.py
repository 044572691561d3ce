"""docs/operations.md names every variable that the product reads, and no other."""

import re

from tests.platform.test_compose import names_read_by_the_product
from tests.stack import REPOSITORY

TEXT = (REPOSITORY / "docs" / "operations.md").read_text()
TOOLS = {"CS_PROCESS", "CS_TESTING"}


def test_every_variable_has_a_row() -> None:
    rows = set(
        re.findall(
            r"`([A-Z][A-Z_]+)`", "\n".join(re.findall(r"^\| (`[A-Z].*?) \|", TEXT, flags=re.MULTILINE))
        )
    )
    assert names_read_by_the_product() - TOOLS == rows

import pytest

from tests.health.experiments.builders import subjects


@pytest.fixture(autouse=True)
def known_subjects():
    with subjects():
        yield

"""Schemathesis over the whole description: no 5xx, no undocumented answer, all checks."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Config, GenerationMode
from schemathesis.core.parameters import ParameterLocation

from cs_platform.lib.scoping import workspace_scope
from cs_platform.wsgi import application
from tests.api_world import api_key, make_world

# What a schema cannot say (an account that is unknown, a day that has passed) is refused with 422.
REFUSED = ["2xx", "401", "403", "404", "409", "422"]
# A batch answers 200 and says of each row what is wrong with it.
BATCHES = {
    "include-path-regex": "/batch/$",
    "checks": {
        "negative_data_rejection": {"expected-statuses": ["200", "400", "401", "403", "404", "413", "422"]}
    },
}
CONFIG = {"operations": [BATCHES], "checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}}}
BOTH = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


class Fuzzer:
    """Calls every operation with generated values, half of the time about rows that are there."""

    def __init__(self, world, credential: str) -> None:
        self.ids = {noun: str(row.public_id) for noun, row in world.items()}
        self.external_id = world["accounts"].external_id
        self.headers = {"Authorization": f"Bearer {credential}"}
        self.statuses: Counter[str] = Counter()
        self.description = schemathesis.openapi.from_wsgi(
            "/api/v1/openapi.json", application, config=Config.from_dict(CONFIG)
        )

    @property
    def calls(self) -> int:
        return sum(self.statuses.values())

    def run(self, examples: int) -> None:
        for found in self.description.get_all_operations():
            operation = found.ok()
            for mode in BOTH:
                self._fuzz(operation, mode, examples)

    def _fuzz(self, operation, mode, examples: int) -> None:
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except schemathesis.errors.InvalidSchema:
            return

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=strategy)
        def probe(case):
            self.call(case)

        probe()

    def call(self, case) -> None:
        meant_well = case.meta.generation.mode == GenerationMode.POSITIVE
        if meant_well and self.calls % 2 == 0:
            self._about_rows_that_are_there(case)
        header = case.meta.components.get(ParameterLocation.HEADER)
        # A key that is wrong on purpose is sent as it is; otherwise a good one, to get past the door.
        wrong_key = header is not None and header.mode == GenerationMode.NEGATIVE
        headers = {} if wrong_key else self.headers
        response = case.call(headers=headers)
        self.statuses[f"{response.status_code}"] += 1
        case.validate_response(response, headers=headers)

    def _about_rows_that_are_there(self, case) -> None:
        noun = case.path.split("/")[3]
        if noun in self.ids and "public_id" in (case.path_parameters or {}):
            case.path_parameters["public_id"] = self.ids[noun]
        if isinstance(case.body, dict) and isinstance(case.body.get("account"), str):
            case.body["account"] = self.external_id


@pytest.fixture
def one_connection():
    """A real WSGI request closes its connection; these belong to the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def fuzzer(cast, settings, one_connection):
    settings.API_REQUESTS_PER_MINUTE = 10**7
    with workspace_scope(cast.workspace.pk):
        world = make_world()
    return Fuzzer(world, api_key(cast.workspace)[1])


def test_no_generated_request_breaks_the_api(fuzzer):
    fuzzer.run(examples=7)
    print(dict(fuzzer.statuses))
    assert fuzzer.calls >= 400


@pytest.mark.soak
def test_twenty_thousand_generated_requests_break_nothing(fuzzer):
    fuzzer.run(examples=330)
    print(dict(fuzzer.statuses))
    assert fuzzer.calls >= 20_000

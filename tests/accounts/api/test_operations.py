"""Generated over the description: each operation by scope of the key, by method, by another workspace's ids."""

import copy
import uuid

import pytest

from accounts.api.examples import EXAMPLES
from accounts.models import Account
from cs_platform.api import api
from cs_platform.lib.scoping import workspace_scope
from tests.api_world import Caller, api_key, make_world

SCHEMA = api.get_openapi_schema(path_prefix="")
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in SCHEMA["paths"].items()
    for method, operation in item.items()
]
NAMES = [operation["operationId"] for _, _, operation in OPERATIONS]
READS = {name for name in NAMES if name.startswith(("list_", "get_"))}
SCOPES = ("read", "write", "publish")
NOUNS = {"account": "accounts", "contact": "contacts", "subscription": "subscriptions"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
each = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)


@pytest.fixture
def world(cast):
    with workspace_scope(cast.workspace.pk):
        return make_world()


def address(path, row_id):
    return path.replace("{public_id}", str(row_id))


def own_id(path, world):
    row = world.get(path.split("/")[1])
    return row.public_id if row else None


def body_of(operation, world):
    example = copy.deepcopy(EXAMPLES.get(operation["operationId"], {}))
    for row in (example, *example.get("rows", ())):
        for name, noun in NOUNS.items():
            if name in row:
                row[name] = world[noun].external_id
    return example or None


def test_each_scope_of_a_key_gets_exactly_its_operations(client, cast, world):
    callers = {scope: Caller(client, api_key(cast.workspace, scope)[1]) for scope in SCOPES}
    for method, path, operation in OPERATIONS:
        where = address(path, own_id(path, world))
        is_read = operation["operationId"] in READS
        for scope, may in {"publish": False, "read": is_read, "write": True}.items():
            answer = callers[scope](method, where, body_of(operation, world))
            assert (answer.status_code < 300) == may, (scope, method, path, answer.content)
            assert may or (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_without_a_valid_key_there_is_nothing(client, cast, world):
    for method, path, operation in OPERATIONS:
        where = address(path, own_id(path, world))
        bare = client.generic(method, f"/api/v1{where}")
        wrong = Caller(client, "write_nonsense")(method, where, body_of(operation, world))
        for answer in (bare, wrong):
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), path
            assert answer["Content-Type"] == "application/problem+json"


def test_another_workspaces_ids_are_as_unknown_as_random_ones(client, cast, world):
    with workspace_scope(cast.other.pk):
        theirs = make_world("Theirs")
    call = Caller(client, api_key(cast.workspace)[1])
    for method, path, operation in OPERATIONS:
        if "{" in path:
            foreign = call(method, address(path, own_id(path, theirs)), body_of(operation, world))
            random = call(method, address(path, uuid.uuid4()), body_of(operation, world))
            assert foreign.status_code == random.status_code == 404, path
            assert foreign.content == random.content


def test_another_workspaces_names_are_as_unknown_as_random_ones(client, cast, world):
    """In bodies: the account, the contact, the subscription. In lists: nothing of theirs is shown."""
    with workspace_scope(cast.other.pk):
        theirs = make_world("Theirs")
    call = Caller(client, api_key(cast.workspace)[1])
    for method, path, operation in OPERATIONS:
        body = body_of(operation, world) or {}
        for name in NOUNS.keys() & body.keys():
            foreign = call(method, path, body | {name: theirs[NOUNS[name]].external_id})
            random = call(method, path, body | {name: "nobody-knows-this"})
            assert foreign.status_code == random.status_code == 422, path
            assert wrong_fields(foreign) == wrong_fields(random)
        if operation["operationId"].startswith("list_"):
            answer = call("GET", f"{address(path, own_id(path, world))}?limit=200")
            assert answer.status_code == 200
            assert "theirs" not in answer.content.decode().lower(), path


def wrong_fields(answer):
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_other_methods_are_refused(client, cast, world):
    call = Caller(client, api_key(cast.workspace)[1])
    for path, item in SCHEMA["paths"].items():
        known = {method.upper() for method in item}
        for method in set(METHODS) - known:
            answer = call(method, address(path, own_id(path, world)))
            assert answer.status_code == 405, (method, path)
            assert set(answer["Allow"].split(", ")) == known


def test_each_operation_names_what_it_may_answer():
    for method, _, operation in OPERATIONS:
        statuses = {str(status) for status in operation["responses"]}
        assert {"401", "403", "422", "429", "503"} <= statuses
        assert operation["description"], operation["operationId"]
        if method != "GET":
            assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]]
            assert {"400", "409", "413"} <= statuses
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"]


def test_the_number_of_queries_does_not_grow(client, cast, django_assert_max_num_queries):
    call = Caller(client, api_key(cast.workspace, "read")[1])
    with workspace_scope(cast.workspace.pk):
        for number in range(12):
            make_world(f"Company {number:02}")
    for path in SCHEMA["paths"]:
        if "get" in SCHEMA["paths"][path] and "{" not in path:
            with django_assert_max_num_queries(30):
                assert len(call("GET", path).json()["results"]) == 12, path


@pytest.mark.parametrize("noun", ["contacts", "queue", "scores", "predictions"])
def test_pages_stay_whole_while_rows_come_and_go(client, cast, noun):
    """A row before the cursor goes: who is still to come is neither left out nor told twice."""
    with workspace_scope(cast.workspace.pk):
        names = [make_world(f"Company {number}")["accounts"].external_id for number in range(7)]
    call = Caller(client, api_key(cast.workspace, "read")[1])
    page = call("GET", f"/{noun}/?limit=3").json()
    seen = [row["account"] for row in page["results"]]
    with workspace_scope(cast.workspace.pk):
        Account.objects.get(external_id=seen[0]).delete()
    while page["next"]:
        page = call("GET", page["next"].split("/api/v1")[1]).json()
        seen += [row["account"] for row in page["results"]]
    assert sorted(seen) == sorted(names)


def test_a_cursor_keeps_the_filters_and_belongs_to_its_list(client, cast):
    with workspace_scope(cast.workspace.pk):
        for number in range(3):
            make_world(f"Company {number}")
    call = Caller(client, api_key(cast.workspace, "read")[1])
    following = call("GET", "/tickets/?limit=1&is_open=true&priority=normal").json()["next"]
    assert "is_open=true" in following
    assert "priority=normal" in following
    cursor = call("GET", "/scores/?limit=1").json()["next"].split("cursor=")[1]
    for noun in ("queue", "predictions", "contacts"):
        assert call("GET", f"/{noun}/?cursor={cursor}").json()["code"] == "invalid_cursor"

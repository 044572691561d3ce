"""Accounts for machines: keys, pages, problems."""

import pytest
from django.utils import timezone

from accounts.services.workspaces import create_api_key, revoke_api_key
from cs_platform.lib.scoping import workspace_scope
from tests.builders import make_account, queued

FIELDS = (
    "public_id external_id name csm plan arr_minor currency health_score health_band coverage churn_probability "
    "horizon_days expected_loss_minor causes metrics events_total as_of updated_at"
).split()


@pytest.fixture
def key(cast):
    with workspace_scope(cast.workspace.pk):
        return create_api_key(workspace=cast.workspace, scope="read", acting_user=cast.ada)


def get(client, path, credential):
    return client.get(path, headers={"Authorization": f"Bearer {credential}"})


def test_an_account_shows_score_probability_and_what_they_rest_on(client, cast, key):
    with workspace_scope(cast.workspace.pk):
        queued("Northwind", csm=cast.ben)
    body = get(client, "/api/v1/accounts/?external_id=northwind", key[1]).json()
    [row] = body["results"]
    assert list(row) == FIELDS
    assert (row["health_score"], row["health_band"], row["csm"]) == (38.0, "red", "ben@example.com")
    assert body["next"] is None


def test_an_account_without_a_night_yet_has_nulls_not_zeros(client, cast, key):
    with workspace_scope(cast.workspace.pk):
        make_account("Fresh")
    [row] = get(client, "/api/v1/accounts/", key[1]).json()["results"]
    assert row["health_score"] is row["churn_probability"] is row["as_of"] is None


def test_pages_follow_each_other_without_gaps(client, cast, key):
    with workspace_scope(cast.workspace.pk):
        names = [make_account(f"A{n:02}").name for n in range(7)]
    seen, address = [], "/api/v1/accounts/?limit=3"
    while address:
        body = get(client, address, key[1]).json()
        seen += [row["name"] for row in body["results"]]
        address = body["next"]
    assert seen == names


@pytest.mark.parametrize("query", ["cursor=nonsense", "limit=0", "limit=1000", "limit=x"])
def test_wrong_values_are_named(client, key, query):
    response = get(client, f"/api/v1/accounts/?{query}", key[1])
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert response.json()["code"] in ("invalid", "invalid_cursor")


def test_no_wrong_revoked_or_foreign_key_gets_in(client, cast, key):
    row, credential = key
    head, secret = str(credential).split(".")
    foreign = f"read_{cast.other.public_id.hex}.{secret}"
    for text in ("", "nonsense", f"{head}.{'x' * 43}", foreign, str(credential).replace("read_", "write_")):
        response = get(client, "/api/v1/accounts/", text)
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    with workspace_scope(cast.workspace.pk):
        revoke_api_key(key=row, acting_user=cast.ada, now=timezone.now())
    assert get(client, "/api/v1/accounts/", credential).status_code == 401


def test_a_publish_key_reads_nothing(client, cast):
    with workspace_scope(cast.workspace.pk):
        _, credential = create_api_key(workspace=cast.workspace, scope="publish", acting_user=None)
    assert get(client, "/api/v1/accounts/", credential).status_code == 403


def test_another_workspaces_account_is_as_unknown_as_a_random_one(client, cast, key):
    with workspace_scope(cast.other.pk):
        theirs = make_account("Theirs")
    assert get(client, f"/api/v1/accounts/{theirs.public_id}/", key[1]).status_code == 404
    assert get(client, "/api/v1/accounts/", key[1]).json()["results"] == []


def test_the_number_of_queries_does_not_grow(client, cast, key, django_assert_max_num_queries):
    with workspace_scope(cast.workspace.pk):
        for number in range(30):
            queued(f"N{number}")
    with django_assert_max_num_queries(28):
        assert len(get(client, "/api/v1/accounts/", key[1]).json()["results"]) == 30


def test_the_description_names_every_status(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert set(paths["/api/v1/accounts/"]["get"]["responses"]) == {"200", "401", "403", "422", "429", "503"}

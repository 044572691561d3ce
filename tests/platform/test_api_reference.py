"""The page that shows the REST API is made of its description and follows it."""

from cs_platform.api import api


def test_every_operation_is_shown_with_its_fields(client, cast):
    client.force_login(cast.vera.user)
    page = client.get("/settings/api/").content.decode()
    schema = api.get_openapi_schema()
    for path, item in schema["paths"].items():
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page
            assert path in page
    for field in ("expected_loss_minor", "Idempotency-Key", "effective_at", "contributions"):
        assert field in page
    assert "`" not in page
    assert page.count("<h1") == 1


def test_nothing_of_the_description_is_taken_for_markup():
    from accounts.api.reference import coded

    assert coded("a `<b>` <i>") == "a <code>&lt;b&gt;</code> &lt;i&gt;"

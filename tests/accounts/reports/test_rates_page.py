"""Exchange rates in the settings: by hand, from a file, taken away."""

from datetime import date
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry, ExchangeRate
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.web import web


def stored(cast) -> dict[tuple[str, date], Decimal]:
    with workspace_scope(cast.workspace.pk):
        return {(r.currency, r.on_date): r.rate for r in ExchangeRate.objects.all()}


def upload(cast, text: str):
    file = SimpleUploadedFile("rates.csv", text.encode(), content_type="text/csv")
    return web(cast.ada).post("/settings/rates/uploads/", {"file": file})


def test_a_rate_is_added_replaced_and_taken_away(cast):
    client = web(cast.ada)
    for rate in ("1.09", "1.1"):
        data = {"currency": "eur", "on_date": "2026-01-01", "rate": rate}
        assert client.post("/settings/rates/", data).status_code == 302
    assert stored(cast) == {("EUR", date(2026, 1, 1)): Decimal("1.1")}
    data = {"currency": "EUR", "on_date": "2026-01-01"}
    assert client.post("/settings/rates/deletions/", data).status_code == 302
    assert stored(cast) == {}
    assert client.post("/settings/rates/deletions/", data).status_code == 404
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action__startswith="accounts.exchange_rate").count() == 3


def test_a_wrong_rate_is_refused_and_kept_in_the_form(cast):
    client = web(cast.ada)
    for currency, rate in (
        ("USD", "1"),
        ("E1R", "1"),
        ("EUR", "0"),
        ("EUR", "-1"),
        ("EUR", "NaN"),
        ("EUR", "x"),
    ):
        response = client.post(
            "/settings/rates/", {"currency": currency, "on_date": "2026-01-01", "rate": rate}
        )
        assert response.status_code == 422
        assert f'value="{rate}"' in response.content.decode()
    assert stored(cast) == {}


def test_a_file_is_taken_whole_or_not_at_all(cast):
    bad = upload(cast, "currency,on_date,rate\nEUR,2026-01-01,1.1\nGBP,01/02/2026,1.3\nKRW,2026-01-01,zero\n")
    assert bad.status_code == 422
    page = bad.content.decode()
    assert "Line 3" in page and "Line 4" in page
    assert stored(cast) == {}
    assert (
        upload(
            cast, "\ufeffRate,Currency,on_date\n1.1,EUR,2026-01-01\n\n0.00073,KRW,2026-01-01\n"
        ).status_code
        == 302
    )
    assert len(stored(cast)) == 2
    exported = web(cast.ada).get("/settings/rates/export/").content.decode("utf-8-sig")
    assert upload(cast, exported).status_code == 302
    assert stored(cast)["KRW", date(2026, 1, 1)] == Decimal("0.00073")


def test_a_file_without_its_columns_or_with_two_rates_a_day_is_refused(cast):
    assert "lacks the column" in upload(cast, "a,b\n1,2\n").content.decode()
    twice = upload(cast, "currency,on_date,rate\nEUR,2026-01-01,1.1\nEUR,2026-01-01,1.2\n")
    assert "two rates" in twice.content.decode()
    assert upload(cast, "currency,on_date,rate\n").status_code == 422


def test_only_admins_change_rates(cast):
    assert web(cast.ben.user).get("/settings/rates/").status_code == 403

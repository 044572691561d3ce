"""Accounts, their traits, and contacts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, AccountTrait, Contact, Import, TraitDefinition
from accounts.services.imports import run_import
from accounts.views.import_words import warning_words
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts, utc

TEXT = "external_id,name,industry,csm_email,created_at,seats,tier,vip,since\n"


@pytest.fixture(autouse=True)
def _scope(bring):
    with workspace_scope(bring.workspace.pk):
        yield


def test_fields_and_traits(bring, cast):
    outcome = bring(
        "accounts",
        TEXT
        + "a,Alpha,Retail,BEN@example.com,2023-05-01,5,Pro,Yes,2023-01-01\nb,Beta,,ghost@example.com,,,Basic,No,\n",
    )
    assert counts(outcome) == (2, 0, 0, 0)
    alpha, beta = Account.objects.order_by("external_id")
    assert (alpha.industry, alpha.csm, alpha.created_at) == ("Retail", cast.ben, utc(2023, 5, 1))
    assert (beta.csm, beta.is_start_assumed, alpha.is_start_assumed) == (None, True, False)
    assert outcome.warnings == [{"code": "unknown_csm", "value": "ghost@example.com", "rows": 1}]
    kinds = dict(TraitDefinition.objects.values_list("key", "kind"))
    assert kinds == {"seats": "number", "tier": "text", "vip": "boolean", "since": "date"}
    traits = {t.definition.key: t for t in AccountTrait.objects.filter(account=alpha)}
    assert (traits["seats"].value_number, traits["vip"].value_number) == (5.0, 1.0)
    assert {t.known_at for t in traits.values()} == {None}
    assert AccountTrait.objects.filter(account=beta).count() == 2


def test_twice_changes_nothing(bring):
    text = TEXT + "a,Alpha,Retail,,2023-05-01,5,Pro,Yes,2023-01-01\n"
    bring("accounts", text)
    assert counts(bring("accounts", text)) == (0, 0, 1, 0)
    assert AccountTrait.objects.count() == 4


def test_a_blank_is_no_value(bring):
    bring("accounts", "external_id,name,industry,seats\na,Alpha,Retail,5\n")
    assert counts(bring("accounts", "external_id,name,industry,seats\na,,,\n")) == (0, 0, 1, 0)
    assert Account.objects.get().industry == "Retail"


def test_another_value_later_is_a_new_dated_row(bring):
    bring("accounts", "external_id,seats\na,5\n")
    outcome = bring("accounts", "external_id,seats\na,8.0\n")
    assert counts(outcome) == (0, 1, 0, 0)
    first, second = AccountTrait.objects.order_by("pk")
    assert (first.value_number, first.known_at) == (5.0, None)
    assert (second.value_number, second.source_import) == (8.0, outcome.source_import)
    assert second.known_at is not None
    assert counts(bring("accounts", "external_id,seats\na,8\n")) == (0, 0, 1, 0)


def test_a_file_may_be_dated(bring):
    bring("accounts", "external_id,seats\na,5\n", known_at="2024-03-01")
    bring("accounts", "external_id,seats\na,6\n", known_at="2024-02-01")
    rows = AccountTrait.objects.order_by("known_at")
    assert [(r.value_number, r.known_at) for r in rows] == [(6.0, utc(2024, 2, 1)), (5.0, utc(2024, 3, 1))]
    assert TraitDefinition.objects.get().is_dated


def test_a_trait_of_two_types_is_text(bring):
    bring("accounts", "external_id,size\na,5\n")
    bring("accounts", "external_id,size\nb,large\n")
    assert TraitDefinition.objects.get().kind == "text"
    assert list(AccountTrait.objects.order_by("pk").values_list("value_text", "value_number")) == [
        ("5", None),
        ("large", None),
    ]


def test_a_missing_id_is_derived_in_a_stable_way(bring):
    bring("accounts", "name,domain,industry\nAlpha,https://www.Alpha.example/x,Retail\n")
    assert counts(bring("accounts", "domain,name,industry\nalpha.example,Alpha,Banking\n")) == (0, 1, 0, 0)
    account = Account.objects.get()
    assert account.external_id.startswith("row-")
    assert (account.domain, account.industry) == ("alpha.example", "Banking")
    bring("accounts", "external_id\nx9\n")
    assert Account.objects.get(external_id="x9").name == "x9"


def test_a_dry_run_counts_and_writes_nothing(bring):
    outcome = bring("accounts", TEXT + "a,Alpha,Retail,,2023-05-01,5,Pro,Yes,x\n", dry_run=True)
    assert counts(outcome) == (1, 0, 0, 0)
    assert not Account.objects.exists()
    assert not TraitDefinition.objects.exists()


def test_contacts(bring):
    bring("accounts", "external_id,created_at\na,2023-05-01\n")
    text = "account,email,name,role,language,floor\na,Mina@Example.com,Mina,Champion,ko,3\na,x@example.com,X,CTO,de,\n"
    assert counts(bring("contacts", text)) == (2, 0, 0, 0)
    mina, other = Contact.objects.order_by("pk")
    assert (mina.email, mina.role, mina.is_champion, mina.language) == (
        "mina@example.com",
        "champion",
        True,
        "ko",
    )
    assert (mina.created_at, mina.traits) == (utc(2023, 5, 1), {"floor": 3})
    assert (other.role, other.language) == ("executive", "en")
    assert counts(bring("contacts", text)) == (0, 0, 2, 0)


def test_a_contact_without_an_id_is_known_by_address(bring):
    bring("accounts", "external_id\na\n")
    bring("contacts", "external_id,account,email\nu1,a,mina@example.com\n")
    assert counts(bring("contacts", "account,email,name\na,mina@example.com,Mina\n")) == (0, 1, 0, 0)
    assert Contact.objects.get().external_id == "u1"


def test_a_run_that_died_is_simply_run_again(bring, monkeypatch):
    text = "external_id\n" + "".join(f"a{n}\n" for n in range(4500))
    path = bring.file(text)
    seen = []

    def die(done, total):
        seen.append(done)
        if done >= 4000:
            raise KeyboardInterrupt

    from accounts.imports.mapping import ImportOptions
    from accounts.services.imports import prepare_file

    prepared = prepare_file(workspace=bring.workspace, kind="accounts", path=path, options=ImportOptions())
    with pytest.raises(KeyboardInterrupt):
        run_import(workspace=bring.workspace, prepared=prepared, acting_user=None, progress=die)
    assert seen == [2000, 4000]
    died = Import.objects.get()
    assert (died.status, died.rows_read) == (Import.Status.FAILED, 4000)
    assert Account.objects.count() == 4000
    assert counts(bring("accounts", path)) == (500, 0, 4000, 0)


def test_a_killed_run_is_told_from_a_slow_one(bring):
    slow, killed = (Import.objects.create(kind="accounts") for _ in range(2))
    Import.objects.filter(pk=killed.pk).update(started_at=timezone.now() - timedelta(hours=1))
    bring("accounts", "external_id\na\n")
    slow.refresh_from_db()
    killed.refresh_from_db()
    assert (slow.status, killed.status) == (Import.Status.RUNNING, Import.Status.FAILED)
    assert killed.detail["failed"] == "interrupted"


def test_what_is_no_domain_is_left_out_and_joins_nobody(bring):
    text = "name,domain\nAlpha,n/a\nBeta,n/a\nGamma,not a domain\nDelta,https://www.Delta.example/x?y=1\n"
    outcome = bring("accounts", text)
    assert counts(outcome) == (4, 0, 0, 0)
    assert dict(Account.objects.values_list("name", "domain")) == {
        "Alpha": "",
        "Beta": "",
        "Gamma": "",
        "Delta": "delta.example",
    }
    told = [(warning["code"], warning["value"], warning["rows"]) for warning in outcome.warnings]
    assert told == [("not_a_domain", "n/a", 2), ("not_a_domain", "not a domain", 1)]
    assert "“n/a”" in warning_words(outcome.warnings[0])
    assert counts(bring("accounts", text)) == (0, 0, 4, 0)


def test_a_domain_that_is_none_does_not_overwrite_one(bring):
    bring("accounts", "external_id,domain\na,alpha.example\n")
    assert counts(bring("accounts", "external_id,domain\na,none\n")) == (0, 0, 1, 0)
    assert Account.objects.get().domain == "alpha.example"

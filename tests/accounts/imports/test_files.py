"""What a broken file gets for an answer: the whole file, or single rows."""

import pytest

from accounts.imports.problems import FileProblem
from accounts.models import Account, Import
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts, problems


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("external_id,name\n", "no_rows"),
        ("external_id,,name\na,b,c\n", "no_header"),
        ("external_id,external_id\na,b\n", "double_column"),
        (b"external_id,name\na,M\xfcller\n", "not_utf8"),
        ("external_id,name\na,Good\n".encode("utf-16"), "not_utf8"),
        ('external_id,name\na,"never closed\n', "broken_csv"),
        (",".join(f"c{n}" for n in range(501)) + "\n", "too_many_columns"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(bring, text, code):
    with pytest.raises(FileProblem) as caught:
        bring("accounts", text)
    assert caught.value.code == code
    assert str(caught.value)
    with workspace_scope(bring.workspace.pk):
        assert not Import.objects.exists()


def test_bytes_that_are_no_text_are_found_anywhere_before_anything_is_written(bring):
    rows = "".join(f"a{n},Name {n}\n" for n in range(5000)).encode()
    with pytest.raises(FileProblem) as caught:
        bring("accounts", b"external_id,name\n" + rows + b"x,\xff\n")
    assert (caught.value.code, caught.value.params["line"]) == ("not_utf8", 5002)


def test_a_missing_file(bring, tmp_path):
    with pytest.raises(FileProblem) as caught:
        bring("accounts", tmp_path / "nowhere.csv")
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("maps", "options", "code"),
    [
        (["nope=name"], {}, "unknown_column"),
        (["id=nope"], {}, "unknown_field"),
        (["id=name", "label=name"], {}, "field_twice"),
        (["id=name", "id=external_id"], {}, "column_twice"),
        ([], {"known_at": "soon"}, "bad_known_at"),
        ([], {"drop": ["nope"]}, "unknown_column"),
        ([], {"date_format": "european"}, "bad_date_format"),
    ],
)
def test_a_wrong_mapping_says_what_there_is(bring, maps, options, code):
    with pytest.raises(FileProblem) as caught:
        bring("accounts", "id,label\n1,One\n", *maps, **options)
    assert caught.value.code == code


def test_required_fields_are_asked_for(bring):
    with pytest.raises(FileProblem) as caught:
        bring("subscriptions", "customer,began\nA,2024-01-01\n")
    assert caught.value.code == "missing_fields"
    assert "account, started_at" in str(caught.value)


def test_bad_rows_are_reported_with_their_line_and_good_ones_kept(bring):
    text = (
        "external_id,name,created_at\n"
        "a,Alpha,2024-01-01\n"
        "b,Beta,01/02/2024\n"
        "c,Gam\x00ma,2024-01-01\n"
        "d,Delta\n"
        "e,Epsilon,0001-01-01\n"
        "a,Again,2024-01-01\n"
        f"f,{'x' * 301},2024-01-01\n"
        '"g","two\nlines",2024-01-01\n'
        "h,Eta,2024-01-01\n"
    )
    outcome = bring("accounts", text)
    assert counts(outcome) == (3, 0, 0, 6)
    assert problems(outcome) == [
        (3, "created_at", "not_a_date"),
        (4, "", "nul"),
        (5, "", "cells"),
        (6, "created_at", "date_out_of_range"),
        (7, "external_id", "duplicate_key"),
        (8, "name", "too_long"),
    ]
    assert all(str(refused.problem) for refused in outcome.refused)
    with workspace_scope(bring.workspace.pk):
        assert set(Account.objects.values_list("external_id", flat=True)) == {"a", "g", "h"}
        rejects = outcome.source_import.rejects.order_by("line")
        assert [row.line for row in rejects] == [3, 4, 5, 6, 7, 8]


def test_every_row_wrong_means_a_wrong_mapping(bring):
    with pytest.raises(FileProblem) as caught:
        bring("accounts", "external_id,created_at\na,x\nb,y\n")
    assert caught.value.code == "every_row_rejected"
    with workspace_scope(bring.workspace.pk):
        assert Import.objects.get().status == Import.Status.FAILED


def test_json_lines(bring):
    text = (
        '{"external_id": "a", "name": "Alpha", "seats": 5, "is_trial": false, "tags": ["x"]}\n'
        "\n"
        '{"external_id": "b", "name": "Beta", "plan": "Pro"}\n'
        '{"external_id": "c"\n'
        "[1, 2]\n"
        '{"external_id": "d\\u0000"}\n'
        '{"external_id": "e\\ud800"}\n'
        '{"external_id": "f", "name": NaN}\n'
    )
    outcome = bring("accounts", text, suffix=".jsonl")
    assert problems(outcome) == [
        (4, "", "not_json"),
        (5, "", "not_an_object"),
        (6, "", "nul"),
        (7, "", "not_json"),
        (8, "", "not_json"),
    ]
    assert outcome.columns["seats"] == "trait (number)"
    assert outcome.columns["tags"] == "trait (text)"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_a_byte_order_mark(bring, separator):
    outcome = bring(
        "accounts", "\ufeff" + separator.join(["External ID", "Name"]) + "\n" + f"a{separator}Alpha\n"
    )
    assert counts(outcome) == (1, 0, 0, 0)


def test_columns_that_look_like_a_field_are_suggested_not_taken(bring):
    outcome = bring("accounts", "customer_id,account_name\n1,One\n")
    assert outcome.suggestions == {"customer_id": "external_id", "account_name": "name"}

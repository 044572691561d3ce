from cs_platform.lib.csv_text import csv_text, safe_cell


def test_no_cell_becomes_a_formula() -> None:
    for evil in ("=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "＝1"):
        assert str(safe_cell(evil)).startswith("'")
    assert safe_cell(-3) == -3
    assert safe_cell(None) == ""
    assert safe_cell("a=1") == "a=1"


def test_quotes_and_keeps_lines() -> None:
    text = csv_text(["name", "loss"], [['He said "no", twice', -5], ["한빛", None]])
    assert text == '\ufeffname,loss\r\n"He said ""no"", twice",-5\r\n한빛,\r\n'

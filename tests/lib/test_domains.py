"""What is a domain, however it is written, and what is none."""

import pytest

from cs_platform.lib.domains import read_domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("acme.example", "acme.example"),
        (" ACME.Example. ", "acme.example"),
        ("www.acme.example", "acme.example"),
        ("https://www.acme.example:8443/about?x=1#top", "acme.example"),
        ("eu.acme.co.uk", "eu.acme.co.uk"),
        ("한빛.한국", "한빛.한국"),
        ("xn--bcher-kva.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
        ("1and1.example", "1and1.example"),
    ],
)
def test_a_domain_is_read(text, domain):
    assert read_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    ["", "n/a", "N.A.", "none", "-", "--", "tbd", "not a domain", "acme", "www.acme", "localhost", "10.0.0.1",
     "http://[::1]/", "info@acme.example", "acme.example, acme.test", "-acme.example", "acme..example",
     "a" * 64 + ".example", "a." * 130 + "example", ".", "?", "acme.example\n"[:-1] + "\0"],
)  # fmt: skip
def test_what_is_none_is_not_taken_for_one(text):
    assert read_domain(text) is None

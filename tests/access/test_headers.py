"""The headers of every page."""

from __future__ import annotations

from tests.access.table import FRAMES, OURS, path_of, signed_in


def test_every_page_carries_the_headers(cast, made):
    client = signed_in(cast.ada)
    for address in OURS:
        response = client.get(path_of(address, made))
        if response.status_code == 405 or not response.headers.get("Content-Type", "").startswith(
            "text/html"
        ):
            continue
        policy = response.headers["Content-Security-Policy"]
        assert not {"unsafe-inline", "unsafe-eval"} & set(policy.replace("'", "").split()), address
        is_frame = address.name.rpartition(":")[2] in FRAMES
        framing = {"frame-ancestors 'self'", "sandbox"} if is_frame else {"frame-ancestors 'none'"}
        assert {"default-src 'none'", *framing} <= {part.strip() for part in policy.split(";")}, address
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        if response.status_code == 200:  # an error page shows nobody's data
            assert "no-store" in response.headers["Cache-Control"], address

"""What the web process loads at start: heavy packages stay out, the database is not touched."""

import json
import subprocess
import sys

from tests.stack import REPOSITORY

HEAVY = ["pandas", "sklearn", "scipy", "plotly", "stripe", "weasyprint", "polib"]
SCRIPT = """
import json, os, sys
os.environ["CS_PROCESS"] = "web"
from cs_platform.web_server import import_product
import_product()
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from django.db import connections
print(json.dumps({
    "heavy": [name for name in sys.argv[1:] if name in sys.modules],
    "connected": [alias for alias in connections if connections[alias].connection is not None],
    "pooled": {alias: "pool" in connections[alias].settings_dict["OPTIONS"] for alias in connections},
}))
"""


def test_the_web_process_starts_light_and_shares_connections() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *HEAVY], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["heavy"] == []
    assert found["connected"] == []
    assert found["pooled"] == {"default": True, "owner": False}


def test_other_processes_have_no_pool() -> None:
    from django.db import connections

    assert "pool" not in connections["default"].settings_dict["OPTIONS"]

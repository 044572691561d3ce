"""The import rules, read from the source: apps point down, rooms point left, heavy packages have one door."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEVELS = {"lib": 0, "accounts": 1, "health": 2, "feedback": 3, "onboarding": 4, "dunning": 4, "winback": 4}
ROOMS = (
    "models",
    "signals",
    "registry",
    "gateways",
    "queries",
    "services",
    "access",
    "tasks",
    "receivers",
    "actions",
    "forms",
    "charts",
    "views",
    "api",
    "urls",
    "apps",
)
# Rooms outside the order: pure code (models at most), start-up glue, and Django's own folders.
PURE = {
    "revenue",
    "scoring",
    "ml",
    "simulation",
    "intake",
    "imports",
    "risks",
    "metrics",
    "segments",
    "mail_texts",
    "sequences",
    "policy",
    "cases",
    "recovery",
}
GLUE = {
    "apps",
    "job_kinds",
    "defaults",
    "tenancy",
    "migrations",
    "management",
    "templatetags",
    "context",
    "tests",
}
DOORS = {
    "stripe": ("accounts/gateways/stripe/",),
    "pandas": ("health/ml/",),
    "sklearn": ("health/ml/",),
    "plotly": ("health/charts", "accounts/charts"),
}


def sources() -> list[Path]:
    apps = [name for name in LEVELS if name != "lib"]
    return sorted(p for name in [*apps, "cs_platform"] for p in (ROOT / name).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(module: str) -> tuple[str, str]:
    """App and room of a dotted module: ("health", "services"), ("lib", ""), ("root", "")."""
    parts = module.split(".")
    if parts[0] == "cs_platform":
        return ("lib", "") if parts[1:2] == ["lib"] else ("root", "")
    return (parts[0], parts[1] if len(parts) > 1 else "") if parts[0] in LEVELS else ("", "")


def own_place(path: Path) -> tuple[str, str]:
    return place(".".join(path.relative_to(ROOT).with_suffix("").parts))


def wrong_app(path: Path, module: str) -> bool:
    (app, _), (target, _) = own_place(path), place(module)
    if not target or app == "root" or app == target:
        return False
    if target == "root":
        return True
    return LEVELS[target] >= LEVELS[app]


def wrong_room(path: Path, module: str) -> bool:
    (app, room), (target, other) = own_place(path), place(module)
    if app != target or app not in LEVELS or room in GLUE or room == other:
        return False
    if room in PURE:
        return other in ROOMS and other != "models" and other != "registry"
    if room in ROOMS and other in ROOMS:
        return ROOMS.index(other) > ROOMS.index(room)
    return False


def wrong_door(path: Path, module: str) -> bool:
    doors = DOORS.get(module.split(".")[0])
    return doors is not None and not path.relative_to(ROOT).as_posix().startswith(doors)


@pytest.mark.parametrize("rule", [wrong_app, wrong_room, wrong_door], ids=lambda rule: rule.__name__)
def test_the_house_stands(rule):
    broken = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources()
        for module in imports(path)
        if rule(path, module)
    ]
    assert broken == []


def test_the_fake_stripe_stands_apart():
    """It imports nothing of the product, and nothing of the product imports it: they meet over HTTP only."""
    own = sorted((ROOT / "fake_stripe").rglob("*.py"))
    product = {*LEVELS, "cs_platform"} - {"lib"}
    inward = [
        f"{path}: {module}" for path in own for module in imports(path) if module.split(".")[0] in product
    ]
    outward = [
        f"{path}: {module}"
        for path in sources()
        for module in imports(path)
        if module.split(".")[0] == "fake_stripe"
    ]
    assert own and (inward, outward) == ([], [])


def test_the_rules_see_a_break():
    assert wrong_app(ROOT / "accounts/services/x.py", "health.models")
    assert wrong_app(ROOT / "dunning/services/x.py", "winback.models")
    assert wrong_app(ROOT / "health/services/x.py", "cs_platform.settings")
    assert wrong_room(ROOT / "health/queries/x.py", "health.services.queue")
    assert wrong_door(ROOT / "health/services/x.py", "pandas")
    assert not wrong_app(ROOT / "health/services/x.py", "accounts.models")


def test_no_dumping_grounds():
    names = {"utils", "helpers", "misc", "common"}
    assert [p for p in sources() if p.stem in names or p.parent.name in names] == []


def test_files_stay_small():
    long = {str(p.relative_to(ROOT)): n for p in sources() if (n := len(p.read_text().splitlines())) > 400}
    assert {name for name in long if "/migrations/" not in name} == set()


def test_what_the_architecture_names_is_there():
    """Each file and folder that docs/architecture.md names, in whichever app it says or leaves out."""
    text = re.sub(r"```.*?```", "", (ROOT / "docs/architecture.md").read_text(), flags=re.S)
    named = {
        name for name in re.findall(r"`([^`]+)`", text) if re.fullmatch(r"[a-z_.]+(/[a-z_0-9.]+)+/?", name)
    }
    folders = (
        "accounts",
        "cs_platform",
        "docs",
        "dunning",
        "fake_stripe",
        "health",
        "static",
        "templates",
        "tests",
    )
    there = [
        "/" + path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*")
    ]
    missing = [name for name in named if not any(f"/{name.rstrip('/')}" in path for path in there)]
    assert len(named) > 40
    assert missing == []

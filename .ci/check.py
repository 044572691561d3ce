"""`make check`: everything that can be judged without running the product. Independent steps run side by side."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGES = ["cs_platform", "accounts", "health", "feedback", "onboarding", "dunning", "winback"]
# Beside the product, judged as strictly; it has no templates and no texts to translate.
BESIDE = ["fake_stripe"]
PRODUCTION = {
    "DATABASE_URL": "postgres://cs_owner:secret@127.0.0.1:1/cs_platform",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "b7Qx2n-Zk4v9Tq8w1Lr6Yp3Ud5Hs0Gf7Jc2Xe9Am4Ni6Ob1Vt8KzW5",
    "FIELD_ENCRYPTION_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "BASE_URL": "https://success.example.com",
    "EMAIL_URL": "smtp://mail.example.com",
}
Result = tuple[bool, str]


def run(*command: str, env: dict[str, str] | None = None) -> Result:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment | (env or {}), capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def tool(name: str, *arguments: str) -> Callable[[], Result]:
    return lambda: run(str(BIN / name), *arguments)


def manage(*arguments: str, **env: str) -> Callable[[], Result]:
    return lambda: run(sys.executable, "manage.py", *arguments, env=env)


def missing_migrations() -> Result:
    """On a data folder of its own: the check compares with the database too."""
    with tempfile.TemporaryDirectory(prefix="cs-check-") as folder:
        return run(
            sys.executable, "manage.py", "makemigrations", "--check", "--dry-run", env={"CS_VAR_DIR": folder}
        )


def translations() -> Result:
    """Every marked string has a Korean text; where gettext is installed, also that no string is missing."""
    import polib

    problems = []
    for path in sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        catalogue = polib.pofile(str(path))
        missing = [entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries()]
        problems += [f"{path.relative_to(ROOT)}: not translated: {text!r}" for text in missing]
    if not problems and shutil.which("xgettext"):
        problems = strings_missing_from_catalogues()
    return not problems, "\n".join(problems)


def strings_missing_from_catalogues() -> list[str]:
    """Extract afresh into a copy and compare the message ids."""
    import polib

    with tempfile.TemporaryDirectory(prefix="cs-check-") as folder:
        copy = Path(folder) / "tree"
        names = [*PACKAGES, "templates", "locale", "manage.py"]
        copy.mkdir()
        for name in names:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        env = os.environ | {"CS_VAR_DIR": folder, "PYTHONPATH": str(copy)}
        command = [sys.executable, "manage.py", "makemessages", "--locale", "ko", "--no-obsolete"]
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return [done.stdout + done.stderr]
        relative = "locale/ko/LC_MESSAGES/django.po"
        entries = polib.pofile(str(copy / relative)).untranslated_entries()
        return [f"{relative}: not in the catalogue: {entry.msgid!r}" for entry in entries]


def stylesheet() -> Result:
    """The committed style sheet is what the sources compile to (only where Node is installed)."""
    if not shutil.which("npm") or not (ROOT / "node_modules").is_dir():
        return True, "no Node here: not compared"
    with tempfile.TemporaryDirectory(prefix="cs-check-") as folder:
        output = Path(folder) / "app.css"
        arguments = [
            "npx",
            "tailwindcss",
            "--input",
            "static/src/app.pcss",
            "--output",
            str(output),
            "--minify",
        ]
        fine, text = run(*arguments)
        if not fine:
            return False, text
        same = output.read_bytes() == (ROOT / "static/css/app.css").read_bytes()
    return same, "" if same else "static/css/app.css is not current: run `make css`"


def requirements() -> Result:
    """Pinned with hashes, and without any address: where packages come from is the machine's business."""
    problems = []
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text()
        if re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", text):
            problems.append(f"{path.name} names an address")
        pins = re.findall(r"^[A-Za-z0-9][^\s]*==[^\s]+.*$", text, flags=re.MULTILINE)
        if not pins or text.count("--hash=sha256:") < len(pins):
            problems.append(f"{path.name} is not pinned with hashes")
    return not problems, "\n".join(problems)


STEPS: dict[str, Callable[[], Result]] = {
    "types": tool("mypy", *PACKAGES, *BESIDE, "tests/stack.py", "tests/workers.py"),
    "format": tool("ruff", "format", "--check", "."),
    "lint": tool("ruff", "check", "--quiet", "."),
    "templates": tool("djlint", "--quiet", "--lint", "templates"),
    "security lint": tool("bandit", "-q", "-ll", "-c", "pyproject.toml", "-r", *PACKAGES, *BESIDE),
    "import rules": tool("pytest", "-q", "tests/test_architecture.py"),
    "deploy checks": manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION),
    "missing migrations": missing_migrations,
    "translations": translations,
    "style sheet": stylesheet,
    "requirements": requirements,
}


def timed(step: Callable[[], Result]) -> tuple[bool, str, float]:
    started = time.monotonic()
    fine, text = step()
    return fine, text, time.monotonic() - started


def main(wanted: list[str]) -> int:
    steps = {name: step for name, step in STEPS.items() if not wanted or any(word in name for word in wanted)}
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = {name: pool.submit(timed, step) for name, step in steps.items()}
        for name, future in running.items():
            fine, text, seconds = future.result()
            print(f"{'ok  ' if fine else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
            if not fine:
                failed += 1
                print(text.strip()[-6000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""gunicorn's configuration: few processes, many threads, no access log (the request log is ours)."""

import os
import shutil
import subprocess  # nosec B404
import sys
import time
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from cs_platform import env
from cs_platform.embedded import paths

bind = f"{env.text('HOST', '127.0.0.1')}:{env.integer('PORT', 8000)}"
worker_class = "gthread"
# One per core, as a process uses one at a time; more than four cores are the workers'.
workers = env.integer("WEB_PROCESSES", max(2, min(os.cpu_count() or 1, 4)), minimum=1)
threads = env.integer("WEB_THREADS", 8, minimum=1)
timeout = 60
graceful_timeout = 5
keepalive = 5
max_requests = 50_000
max_requests_jitter = 5_000
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
if Path("/dev/shm").is_dir():  # gunicorn's own heartbeat file; a slow disk would stall it  # nosec B108
    worker_tmp_dir = "/dev/shm"  # nosec B108
raw_env = ["CS_PROCESS=web"]


def on_starting(server: Any) -> None:
    """Give the processes one empty folder for their shared measurements; load the code once, before they fork."""
    folder = paths.current().run / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    import_product()
    prepared = os.environ.pop("CS_WAIT_FOR", None)
    wait_for(prepared)
    if prepared is None:  # the supervisor's demo has its logins
        offer_setup()


def offer_setup() -> None:
    """Print the link of the set-up page where nobody can sign in yet. A process of its own: no connection may be
    open when this one forks, and a slow database must not hold it up."""
    subprocess.Popen([sys.executable, "manage.py", "setup_link", "--if-fresh"])  # nosec B603


def import_product() -> None:
    """Models and views, without opening a connection: the forked processes share the memory and start at once."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    import django
    from django.urls import get_resolver

    django.setup()
    _ = get_resolver().url_patterns


def wait_for(name: str | None) -> None:
    """Wait until the file exists: the supervisor prepares the database meanwhile. Nothing listens before that."""
    while name and not Path(name).exists():
        time.sleep(0.02)


def child_exit(server: Any, worker: Any) -> None:
    multiprocess.mark_process_dead(worker.pid)

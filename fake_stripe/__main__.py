"""`python -m fake_stripe --port N --data DIR`: start the server and print `ready http://127.0.0.1:N`."""

import argparse
import asyncio
import os
import signal
from datetime import datetime
from pathlib import Path

from fake_stripe import objects
from fake_stripe.control.steering import DEFAULT_KEYS
from fake_stripe.objects.webhook_endpoints import new_endpoint
from fake_stripe.server import serve
from fake_stripe.session import Session
from fake_stripe.store import Store
from fake_stripe.world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fake_stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of its ledger; kept between starts")
    parser.add_argument("--key", action="append", default=[], help="a further API key with all permissions")
    parser.add_argument("--webhook-url", default="", help="send all events there")
    parser.add_argument("--webhook-secret", default="", help="sign them with this secret")
    parser.add_argument(
        "--public-url", default="", help="address of the hosted pages, if not the server's own"
    )
    parser.add_argument(
        "--now", type=datetime.fromisoformat, help="freeze the clock there (with its time zone)"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that started it ends"
    )
    return parser.parse_args()


def build(options: argparse.Namespace) -> World:
    objects.load_all()
    options.data.mkdir(parents=True, exist_ok=True)
    world = World(Store(options.data / "fake_stripe.sqlite"), public_url=options.public_url.rstrip("/"))
    world.keys = {**DEFAULT_KEYS, **(world.store.setting("keys") or {}), **dict.fromkeys(options.key, "all")}
    if options.now:
        world.set_clock(frozen=int(options.now.timestamp()))
    url = options.webhook_url
    if url:
        _register(Session(world), url, options.webhook_secret)
    return world


def _register(session: Session, url: str, secret: str) -> None:
    """The endpoint of the command line; another start on the same folder does not make a second one."""
    known = next((one for one in session.world.endpoints() if one["url"] == url), None)
    if known is None:
        new_endpoint(session, url, ["*"], secret or None)
    elif secret:
        session.save({**known, "_secrets": [secret]})


async def main() -> None:
    options = arguments()
    task = asyncio.create_task(serve(build(options), options.port))
    watch = asyncio.create_task(_until_orphaned(task)) if options.with_parent else None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        # The usual end: everything is committed with each request.
        return
    finally:
        if watch:
            watch.cancel()


async def _until_orphaned(task: asyncio.Task[None]) -> None:
    """Its starter may be killed without being able to stop it."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    task.cancel()


if __name__ == "__main__":
    asyncio.run(main())

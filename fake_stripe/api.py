"""One request to /v1 from its headers to its answer, in one transaction of the fake's own store."""

import asyncio
import hashlib
import json
import sys
import time
import traceback
from dataclasses import dataclass, field

from fake_stripe import idempotency
from fake_stripe.auth import allow, authenticate
from fake_stripe.errors import ApiError, Declined
from fake_stripe.expand import expand
from fake_stripe.faults import Fault, conflict, error_of, rate_limited
from fake_stripe.ids import random_text
from fake_stripe.params import Params, refuse_ignored
from fake_stripe.routes import Route, find_route
from fake_stripe.session import Session
from fake_stripe.typed_params import check_params
from fake_stripe.wire import Json, parse_form
from fake_stripe.world import API_VERSION, World


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> str:
        return self.body if self.method == "POST" else self.query or self.body


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    dropped: bool = False


@dataclass
class Course:
    """What happened to one request, for the log."""

    request: Request
    name: str
    key: str | None
    fault: Fault | None = None
    replayed: bool = False
    problem: str = ""


async def answer_api(world: World, request: Request) -> Answer:
    """Never raises: errors become Stripe's JSON, planned faults their trouble."""
    course = Course(request, f"req_{random_text(14)}", None)
    if request.method == "POST":
        course.key = request.headers.get("idempotency-key") or None
    world.count_request()
    try:
        answer = await _answer(world, course)
    except ApiError as error:
        answer = _error(world, course, error)
    if course.fault and course.fault.kind == "malformed":
        answer.body = answer.body[: len(answer.body) // 2]
    if course.fault and course.fault.kind in ("drop_before", "drop_after"):
        answer.dropped = True
    answer.headers |= {"Request-Id": course.name, "Stripe-Version": API_VERSION}
    if course.key:
        answer.headers["Idempotency-Key"] = course.key
    return answer


async def _answer(world: World, course: Course) -> Answer:
    request = course.request
    api_key = authenticate(world, request.headers.get("authorization", ""))
    if not world.admit():
        raise rate_limited()
    course.fault = fault = world.faults.draw(request.method, request.path)
    if fault and fault.kind == "drop_before":
        _log(world, course, 0)
        return Answer(0, b"")
    if fault and fault.kind in ("conflict", "rate_limit", "unavailable") and (planned := error_of(fault)):
        raise planned
    found = find_route(request.method, request.path)
    if found is None:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        raise ApiError(404, "invalid_request_error", message, kept=False)
    route, ids = found
    allow(world, api_key, request.method, route.resource)
    params = check_params(route.params, parse_form(request.form))
    pause = world.latency_seconds + (fault.seconds if fault and fault.kind == "delay" else 0)
    if course.key and course.key in world.running_keys:
        raise conflict()
    if not pause:
        return _execute(world, course, route, ids, params)
    if course.key:
        world.running_keys.add(course.key)
    try:
        await asyncio.sleep(pause)
        return _execute(world, course, route, ids, params)
    finally:
        world.running_keys.discard(course.key or "")


def _execute(world: World, course: Course, route: Route, ids: tuple[str, ...], params: Json) -> Answer:
    """Replay, or run the handler; its effect, the kept result and the log are one commit."""
    request = course.request
    fingerprint = _hash(f"{request.method} {request.path} {request.form}")
    with world.store.transaction():
        if course.key and (kept := idempotency.recall(world, course.key, fingerprint)):
            course.replayed = True
            _write_log(world, course, kept[0])
            return Answer(kept[0], kept[1], {"Idempotent-Replayed": "true", "Original-Request": kept[2]})
        error: ApiError | None = None
        status, body = 200, b""
        world.store.db.execute("SAVEPOINT effect")
        try:
            body = _run(world, course, route, ids, params)
        except ApiError as raised:
            error = raised
            status, body = error.status, encode(error.body)
            if not isinstance(error, Declined):
                world.store.db.execute("ROLLBACK TO effect")
        if course.key and (error is None or error.kept):
            idempotency.remember(world, course.key, fingerprint, status, body, course.name)
        _write_log(world, course, status, error)
    world.wake()
    return Answer(status, body, dict(error.headers) if error else {})


def _run(world: World, course: Course, route: Route, ids: tuple[str, ...], params: Json) -> bytes:
    fault = course.fault
    if fault and fault.kind == "error_before" and (planned := error_of(fault)):
        raise planned
    wanted = params.pop("expand", None) or []
    asked = Params(params)
    session = Session(world, request=course.name, key=course.key)
    try:
        rendered = route.handler(session, asked, *ids)
    except ApiError as refused:
        if isinstance(refused, Declined):
            refuse_ignored(asked)
        raise
    except Exception as bug:
        course.problem = f"bug in the fake: {bug!r}"
        traceback.print_exc(file=sys.stderr)
        raise ApiError(500, "api_error", course.problem, kept=False) from bug
    refuse_ignored(asked)
    if wanted:
        rendered = expand(session, rendered, wanted)
    if fault and fault.kind == "error_after" and (planned := error_of(fault)):
        raise Declined(500, "api_error", str(planned), headers=planned.headers)
    return encode(rendered)


def _error(world: World, course: Course, error: ApiError) -> Answer:
    _log(world, course, error.status, error)
    return Answer(error.status, encode(error.body), dict(error.headers))


def _log(world: World, course: Course, status: int, error: ApiError | None = None) -> None:
    with world.store.transaction():
        _write_log(world, course, status, error)


def _write_log(world: World, course: Course, status: int, error: ApiError | None = None) -> None:
    request = course.request
    refused = error.error.get("message", "") if error and error.status == 400 and not error.kept else ""
    problem = course.problem or refused
    fault = course.fault.kind if course.fault else None
    world.store.insert(
        "requests",
        request=course.name,
        at=time.time(),
        clock=world.now(),
        method=request.method,
        path=request.path,
        key=course.key,
        body_hash=_hash(request.form),
        body=request.form,
        status=status,
        replayed=int(course.replayed),
        fault=fault,
        problem=problem,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encode(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()

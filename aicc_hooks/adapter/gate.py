"""The outermost ASGI layer: who may come in, through which door, with what body, and what the answer carries.

A request passes `Gate.__call__` top to bottom; every step is a named call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from aicc_hooks.adapter import admission, calls, prompts
from aicc_hooks.adapter.admission import Disconnected
from aicc_hooks.adapter.answer import Answer
from aicc_hooks.adapter.asgi import App, Message, Receive, Scope, Send
from aicc_hooks.adapter.cached import UpstreamAnswer
from aicc_hooks.adapter.calls import Call
from aicc_hooks.adapter.heard import Heard
from aicc_hooks.adapter.preparing import forward_scope, prepare
from aicc_hooks.adapter.runtime import Runtime
from aicc_hooks.errors import Refusal
from aicc_hooks.resilience.classify import Outcome
from aicc_hooks.resilience.lifeline import Lifeline

log = logging.getLogger("aicc_hooks")

# Doors whose requests leave a record. "other" is where refused paths end up.
_RECORDED = frozenset(("chat", "completions", "embeddings", "responses", "messages", "rerank", "other"))


class Gate:
    """ASGI middleware. `app` is LiteLLM's whole stack, `short` the part that every route needs, `direct` finds what is
    left of it for a door's model calls.
    """

    def __init__(
        self,
        app: App,
        runtime: Runtime,
        short: App | None = None,
        direct: Callable[[str], App | None] = lambda door: None,
        lifeline: Lifeline | None = None,
    ) -> None:
        self.app = app
        self.runtime = runtime
        self._short = short
        self._direct = direct
        self._lifeline = lifeline or Lifeline()
        self._warm: set[str] = (
            set()
        )  # doors the whole stack has served: LiteLLM loads some routes on first use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            # Websockets carry prompts that no hook sees as a request.
            return await send({"type": "websocket.close", "code": 1008, "reason": "aicc_route_not_allowed"})
        send = self._lifeline.follow(scope, send)
        call = Call(method=scope["method"], path=scope["path"])
        answer = Answer(call, send, self.runtime)
        try:
            admission.check_peer(self.runtime, scope)
            admission.note_origin(self.runtime, scope, call)
            if call.origin and scope["method"] == "OPTIONS":
                return await admission.answer_preflight(scope, call.origin, send)
            door = admission.door_of(self.runtime, scope, call)
            admission.check_serving(self.runtime, door)
            if door.key:
                admission.check_key(self.runtime, scope, door)
            if not door.body:
                await self.app(forward_scope(self.runtime, scope, call, door, None), receive, answer.send)
                return None
            body = await admission.read_body(self.runtime, scope, receive)
            if not body and door.endpoint == "other":  # a DELETE of an extra route: nothing to read
                nothing = _replay(body, asyncio.get_running_loop().create_future())
                await self.app(forward_scope(self.runtime, scope, call, door, None), nothing, answer.send)
                return None
            forwarded = await prepare(self.runtime, scope, call, door, body)
            calls.enter(call)
            self.runtime.recorder.hold(call)
            call.timings["gate"] = (time.perf_counter() - call.started) * 1000
            await self._forward(
                forward_scope(self.runtime, scope, call, door, forwarded),
                forwarded,
                receive,
                call,
                answer,
                dict(scope["headers"]),
            )
        except Disconnected:
            answer.outcome.disconnected = True
        except Refusal as refusal:
            call.refusal = refusal
            await answer.refuse(refusal)
        except Exception as error:
            # Never str(error): it may hold the prompt.
            self.runtime.counters["gate_failures"] += 1
            log.error("request %s failed in the gateway: %s", call.id, type(error).__name__)
            await answer.refuse(
                Refusal("aicc_internal_error", "The gateway failed on this request; see its log.", 500)
            )
        finally:
            if call.attempts and answer.outcome.status == 200:
                self._warm.add(call.endpoint)
            if call.endpoint in _RECORDED:
                call.mode = "demo" if self.runtime.catalog.demo else "live"
                self.runtime.recorder.finish(call, answer.close())

    async def _forward(
        self,
        scope: Scope,
        body: bytes,
        receive: Receive,
        call: Call,
        answer: Answer,
        headers: dict[bytes, bytes],
    ) -> None:
        """Answer from the cache or LiteLLM's stack; end the work when the client goes away."""
        gone = asyncio.ensure_future(_until_disconnect(receive))
        work = asyncio.ensure_future(self._serve(scope, body, gone, call, answer, headers))
        pause = self.runtime.upstreams.config.cold_start.sse_keepalive_s if call.stream else 0
        waiting = asyncio.ensure_future(answer.keep_alive(pause)) if pause else None
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            # The server tells of a disconnect after each complete answer too.
            if gone.done() and not answer.complete:
                answer.outcome.disconnected = True
                if not work.done():
                    await self.runtime.upstreams.context.let_load(call, work)
                    work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        finally:
            gone.cancel()
            work.cancel()
            if waiting is not None:
                waiting.cancel()

    async def _serve(
        self,
        scope: Scope,
        body: bytes,
        gone: asyncio.Future[Message],
        call: Call,
        answer: Answer,
        headers: dict[bytes, bytes],
    ) -> None:
        cached = self.runtime.cached
        request = (
            cached.request_of(call, headers) if cached.ready(self.runtime.master_key()) is not None else None
        )
        if request is None:
            self.runtime.upstreams.refuse_if_down(call)
            self.runtime.upstreams.refuse_if_full(call)
            return await self._ask(call, scope, body, gone, answer.send)
        hit = await cached.lookup(call, request)
        if hit is not None:
            for message in cached.replay(call, hit):
                await answer.send(message)
            return None

        self.runtime.upstreams.refuse_if_down(call)

        async def run(send: Send) -> None:
            # The call may be shared: one client's leaving must not end it for the others.
            never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            self.runtime.upstreams.refuse_if_full(call)  # who joins a call under way needs no place
            await self._ask(call, scope, body, never, send)

        try:
            async with contextlib.aclosing(cached.share(call, request, run)) as messages:
                async for message in messages:
                    await answer.send(message)
        except UpstreamAnswer as failed:
            for message in failed.messages:
                await answer.send(message)
        return None

    async def _ask(
        self, call: Call, scope: Scope, body: bytes, gone: asyncio.Future[Message], send: Send
    ) -> None:
        """Run LiteLLM's stack. Whatever ends it, its attempts end with it: their place in the queue is free again."""
        heard, left = Heard(call, send), False
        try:
            await self._stack(call)(scope, _replay(body, gone), heard.send)
            left = gone.done()  # Starlette ends a stream without a word when its client went
        except asyncio.CancelledError:
            left = True
            raise
        finally:
            outcome = heard.outcome or (Outcome.CANCELLED if left else Outcome.SERVER_ERROR)
            for attempt in call.attempts:
                if not attempt.ended:
                    self.runtime.upstreams.end(attempt, outcome)

    def _stack(self, call: Call) -> App:
        """LiteLLM's whole stack until it served a door once; then its endpoint, or the short stack (policy speed)."""
        app = self.app
        if call.endpoint in self._warm and self._short is not None and self.runtime.saves("middlewares"):
            app = self._direct(call.endpoint) or self._short
        if not prompts.are_several(call):
            return app
        return prompts.one_by_one(app, call, self._answered)

    def _answered(self, call: Call) -> None:
        """One prompt of several has its answer; the next is an attempt of its own."""
        for attempt in call.attempts:
            if not attempt.ended:
                self.runtime.upstreams.end(attempt, Outcome.OK)


async def _until_disconnect(receive: Receive) -> Message:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message


def _replay(body: bytes, gone: asyncio.Future[Message]) -> Receive:
    """A receive that hands out the body once, then the disconnect when it comes."""
    done = False

    async def replay() -> Message:
        nonlocal done
        if not done:
            done = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await asyncio.shield(gone)

    return replay

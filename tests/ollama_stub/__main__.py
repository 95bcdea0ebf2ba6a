"""Run the stub by itself, for benchmarks and for trying the gateway without Ollama."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.ollama_stub.app import OllamaStub
from tests.standins.server import new_event_loop


async def serve(stub: OllamaStub) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stub.listen()
    print(f"ollama stand-in on {stub.url}", flush=True)
    await stop.wait()
    await stub._shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ollama_stub", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--keep", type=int, default=1000, help="requests remembered (default 1000)")
    parser.add_argument(
        "--load-delay", type=float, default=0.0, metavar="S", help="seconds a model takes to load"
    )
    parser.add_argument(
        "--token-delay", type=float, default=0.0, metavar="S", help="seconds between streamed tokens"
    )
    options = parser.parse_args()
    stub = OllamaStub(options.host, options.port, keep=options.keep)
    for model in stub.models.values():
        model.load_delay, model.token_delay = options.load_delay, options.token_delay
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(stub))


if __name__ == "__main__":
    main()

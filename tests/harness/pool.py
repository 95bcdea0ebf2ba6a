"""Running gateways that tests share: what cannot change while one runs is its key, the policy is changed as an owner does."""

from __future__ import annotations

from typing import Any

from tests.harness.gateway import GatewayProcess


class GatewayPool:
    """`get` returns a running gateway with these arguments; the last `kept` stay up."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._running: dict[str, GatewayProcess] = {}

    def get(self, config: Any, policy: Any, **options: Any) -> GatewayProcess:
        """Start one, or take the one that runs with equal arguments and give it this policy."""
        key = repr((config, sorted(options.items())))
        process = self._running.pop(key, None)
        if process is not None and process.returncode is not None:
            process.close()
            process = None
        if process is None:
            while len(self._running) >= self._kept:
                self._running.pop(next(iter(self._running))).close()
            process = GatewayProcess(config, policy=policy, **options)
            try:
                process.start()
            except BaseException:
                process.close()
                raise
        else:
            process.change_policy(policy)
        self._running[key] = process
        return process

    def close(self) -> None:
        for process in self._running.values():
            process.close()
        self._running.clear()

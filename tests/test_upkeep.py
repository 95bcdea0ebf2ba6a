"""The gateway's own upkeep: what fails again and again is counted each time and told now and then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aicc_hooks.adapter import runtime


def test_upkeep_that_fails_is_told_at_first_and_then_each_sixtieth_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "policy.yaml").write_text("{}\n")
    made = runtime.Runtime({"AICC_HOME": str(tmp_path), "AICC_POLICY": str(tmp_path / "policy.yaml")})
    monkeypatch.setattr(runtime, "_POLL_S", 0.0)
    broken, rounds = True, 0

    async def look() -> None:
        nonlocal rounds
        rounds += 1
        if broken:
            raise OSError("disk")

    monkeypatch.setattr(made, "ensure_tested", look)

    def told() -> int:
        return sum("upkeep failed: OSError" in line for line in caplog.messages)

    async def until(rounds_more: int) -> None:
        end = rounds + rounds_more
        while rounds < end:
            await asyncio.sleep(0)

    async def main() -> None:
        nonlocal broken
        task = asyncio.create_task(made._tick())
        async with asyncio.timeout(60):
            await until(62)
            assert (made.counters["tick_failures"] >= 61, told()) == (True, 2)
            broken = False
            await until(2)
            broken = True
            await until(2)
            assert told() == 3, "the first one after it went well is told again"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        asyncio.run(main())
    finally:
        made.recorder.close()

"""Check of experiments.yaml: usable, what runs, and whether Langfuse has the prompts it names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.experiments.load import offered_by, read_experiments
from aicc_hooks.experiments.overview import shadowed, state
from aicc_hooks.experiments.prompts import Fetch, PromptError, langfuse_fetch
from aicc_hooks.experiments.schema import LangfusePrompt
from aicc_hooks.ops.doctor.model import Context, Finding
from aicc_hooks.record.config import LangfuseAccess, LangfuseConfig

_LIMIT_S = 1.2
_ASKED = 20


def experiments(context: Context) -> Iterator[Finding]:
    """The file can be used; each experiment can get requests; managed prompts are there."""
    path = context.home / "experiments.yaml"
    if not path.exists():
        yield Finding(
            "experiments", "off", "no experiments.yaml", "docs/experiments.md shows how to start one"
        )
        return
    offered = offered_by(context.config, context.policy) if context.config else None
    try:
        found = read_experiments(path, offered)
    except GatewayConfigError as error:
        fix = "correct the field; a running gateway keeps the last good file, one that starts runs no experiment"
        yield Finding("experiments", "fail", str(error), fix)
        return
    now = time.time()
    running = [e for e in found.experiments if state(found, e, now) == "runs"]
    said = ", ".join(f"{e.name} {state(found, e, now)}" for e in found.experiments)
    yield Finding("experiments", "ok" if running else "off", said or "none in experiments.yaml")
    for later, earlier in shadowed(running):
        yield Finding(
            f"experiments.{later}", "warn", f"gets no request: {earlier}, before it in the file, takes all of them",
            f"lower percentage of {earlier}, or give both a target of their own",
        )  # fmt: skip
    prompts = sorted({p for e in running for p in e.prompts}, key=lambda p: p.address)[:_ASKED]
    if prompts:
        yield from _prompts(context, prompts)


def _prompts(context: Context, prompts: list[LangfusePrompt]) -> Iterator[Finding]:
    # Traces may be switched off while prompts are used: keys and address alone decide.
    try:
        access = LangfuseAccess.from_env(LangfuseConfig(), context.env)
    except GatewayConfigError as error:
        access, why = None, str(error)
    else:
        why = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set"
    if access is None:
        for prompt in prompts:
            yield Finding(
                f"prompt.{prompt.address}",
                "warn",
                f"the fallback is in use: {why}",
                f"put them into {context.home / '.env'}, then: aicc launchd restart",
            )
        return
    fetch = langfuse_fetch(access.host, access.public_key, access.secret_key, timeout_s=_LIMIT_S)
    with ThreadPoolExecutor(max_workers=len(prompts)) as pool:
        yield from pool.map(lambda prompt: _one(fetch, prompt), prompts)


def _one(fetch: Fetch, prompt: LangfusePrompt) -> Finding:
    name = f"prompt.{prompt.address}"
    try:
        return Finding(name, "ok", f"version {fetch(prompt).version}")
    except PromptError as error:
        return Finding(
            name, "warn", f"{error}: a running gateway keeps the last version it had, one that starts uses the fallback",
            "make it in Langfuse under Prompts or correct experiments.yaml; `aicc langfuse status` shows whether it answers",
        )  # fmt: skip

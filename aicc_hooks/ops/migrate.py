"""Text changes that bring files of the two-process layout to what works. Comments and order stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

Change = tuple[str, list[str]]  # new text, what was done in words

_CALLBACKS = (
    "aicc_hooks.gateway",
    "aicc_hooks.privacy_hook",
    "aicc_hooks.injection_hook",
    "aicc_hooks.complexity_hook",
)
_NO_CHAT = re.compile(r"embed|rerank|bge|minilm", re.IGNORECASE)


def env_text(text: str) -> Change:
    """AICC_LITELLM_PORT was LiteLLM's own port; there is one process now."""
    done: list[str] = []
    lines = text.split("\n")
    ported = any(re.match(r"\s*(?:export\s+)?AICC_ROUTER_PORT\s*=\s*\S", line) for line in lines)
    out = []
    for line in lines:
        match = re.match(r"(\s*(?:export\s+)?)AICC_LITELLM_PORT(\s*=.*)$", line)
        if match is None:
            out.append(line)
        elif ported:
            done.append("AICC_LITELLM_PORT removed: one process listens on AICC_ROUTER_PORT")
        else:
            out.append(f"{match.group(1)}AICC_ROUTER_PORT{match.group(2)}")
            done.append("AICC_LITELLM_PORT renamed to AICC_ROUTER_PORT")
    return "\n".join(out), done


def config_text(text: str) -> Change:
    """References, provider names, database and callbacks as LiteLLM and the plugin need them."""
    done: list[str] = []
    out: list[str] = []
    for line in text.split("\n"):
        new = line
        if not line.lstrip().startswith("#"):
            new = re.sub(r"\$\{(\w+)\}(?=\s*(?:#.*)?$)", r"os.environ/\1", line)
            if new != line:
                done.append(f"{line.strip()}: LiteLLM reads os.environ/NAME")
            if re.match(r"\s*database_url\s*:\s*[\"']?sqlite", new):
                done.append("database_url removed: LiteLLM takes only PostgreSQL; usage is kept in usage.db")
                continue
            chat = re.match(r"(\s*(?:-\s*)?model\s*:\s*[\"']?)ollama/(.*)$", new)
            if chat is not None and not _NO_CHAT.search(chat.group(2)):
                new = f"{chat.group(1)}ollama_chat/{chat.group(2)}"
                done.append(f"ollama/{chat.group(2).strip()}: ollama_chat/ passes tools and keep_alive on")
            calls = re.match(r"(\s*)callbacks\s*:\s*\[(.*)\]\s*(?:#.*)?$", new)
            if calls is not None and "langfuse" in calls.group(2):
                others = [name.strip(" \"'") for name in calls.group(2).split(",")]
                kept = [name for name in others if name and name != "langfuse" and name not in _CALLBACKS]
                new = f"{calls.group(1)}callbacks: [{', '.join([*_CALLBACKS, *kept])}]"
                done.append(
                    "callback langfuse replaced: it sends prompts before they are redacted; the plugin sends the traces"
                )
        out.append(new)
        if re.match(r"router_settings\s*:\s*$", new) and "aicc_hooks.routing_strategy" not in text:
            out.append("  plugins: [aicc_hooks.routing_strategy]")
            done.append("router_settings.plugins: the plugin's routing strategy added")
    return "\n".join(out), done


def policy_text(text: str) -> Change:
    """A plain YAML scalar keeps backslashes, so `\\\\b` there means a literal backslash and never matches."""
    done: list[str] = []
    out = []
    for line in text.split("\n"):
        match = re.match(r"(\s*-\s+)(\(\?[^'#].*\\\\.*?)\s*$", line)
        if match is None:
            out.append(line)
            continue
        pattern = match.group(2).replace("\\\\", "\\").replace('\\"', '"').replace("'", "''")
        out.append(f"{match.group(1)}'{pattern}'")
        done.append(f"pattern {match.group(2)} quoted so that it can match")
    return "\n".join(out), done


MIGRATIONS: Final[Mapping[str, Callable[[str], Change]]] = {
    ".env": env_text,
    "config.yaml": config_text,
    "policy.yaml": policy_text,
}

# Where the two-process layout had files that now live at the top of the folder.
MOVED: Final[Mapping[str, str]] = {
    "routing/policy.yaml": "policy.yaml",
    "experimentation/experiments.yaml": "experiments.yaml",
}

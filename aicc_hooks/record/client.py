"""User-agent → family: a bounded label that says which program called, never its whole header."""

from __future__ import annotations

from typing import Final

# First match wins: SDKs built on a generic HTTP library name both.
_FAMILIES: Final = (
    ("openai/python", "openai-python"), ("asyncopenai/python", "openai-python"), ("openai/js", "openai-node"),
    ("anthropic/", "anthropic"), ("claude-cli", "claude-code"), ("litellm", "litellm"), ("langchain", "langchain"),
    ("langfuse", "langfuse"), ("localcrew", "localcrew"), ("crewai", "crewai"), ("n8n", "n8n"), ("dify", "dify"),
    ("open-webui", "open-webui"), ("cursor", "cursor"), ("continue", "continue"), ("cline", "cline"), ("aider", "aider"),
    ("zed", "zed"), ("aicc", "aicc"), ("raycast", "raycast"), ("shortcuts", "shortcuts"), ("curl/", "curl"), ("wget", "wget"),
    ("postman", "postman"), ("python-httpx", "python-httpx"), ("python-requests", "python-requests"),
    ("aiohttp", "python-aiohttp"), ("python-urllib", "python-urllib"), ("go-http-client", "go"), ("okhttp", "java"),
    ("java", "java"), ("axios", "node"), ("node", "node"), ("undici", "node"), ("bun/", "node"), ("deno", "node"),
    ("mozilla/", "browser"),
)  # fmt: skip


def client_label(user_agent: str | None) -> str:
    """Family of a user agent; `none` without one, `other` for a stranger."""
    if not user_agent:
        return "none"
    text = user_agent[:200].lower()
    return next((family for mark, family in _FAMILIES if mark in text), "other")

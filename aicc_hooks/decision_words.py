"""How a decision is told: reasons for headers, steps for people, nothing of the prompt."""

from __future__ import annotations

from aicc_hooks.verdict import Verdict


def privacy_step(verdict: Verdict) -> str:
    privacy = verdict.privacy
    if privacy.failed:
        return "privacy: detection failed, treated as sensitive"
    if verdict.sticky and not privacy.sensitive:
        return "privacy: an earlier turn of this conversation was sensitive"
    if privacy.types:
        return f"privacy: {', '.join(privacy.types)}" + ("" if privacy.sensitive else " (redacted only)")
    return "privacy: clean"


def privacy_reason(verdict: Verdict) -> str:
    if verdict.privacy.route_types:
        return f"privacy:{verdict.privacy.route_types[0]}"
    return "privacy:detector_failed" if verdict.privacy.failed else "privacy:conversation"


def what_is_private(verdict: Verdict) -> str:
    if verdict.privacy.route_types:
        return ", ".join(verdict.privacy.route_types[:3])
    return (
        "text that could not be checked"
        if verdict.privacy.failed
        else "a conversation that was sensitive before"
    )


def first_rule(verdict: Verdict) -> str:
    return ascii_reason(verdict.injection.rules[0]) if verdict.injection.rules else "model"


def ascii_reason(text: str) -> str:
    """Header-safe form of a reason."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_:-.") else "_" for c in text)


def shown_name(name: str, verdict: Verdict) -> str:
    """A client's model name for a message: shortened, printable, and left out when it may be pasted text."""
    if len(name) > 15 and (verdict.privacy.types or verdict.privacy.failed):
        return "of that name"
    shown = "".join(c if c.isascii() and (c.isalnum() or c in "._:/-") else "?" for c in name[:64])
    return f"'{shown}{'…' if len(name) > 64 else ''}'"

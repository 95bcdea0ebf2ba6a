"""What else runs offline, behind one call each: `peer(text) -> spans` for privacy, `-> bool` for injection.

A peer that is not installed or has moved is left out, with the reason. LiteLLM's parts come with LiteLLM. detect-secrets needs a
virtual environment of its own (its requirements are no business of ours):

    python3 -m venv .venv-bench && .venv-bench/bin/pip install detect-secrets
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

Spans = list[tuple[int, int]]
FindSpans = Callable[[str], Spans]
Flags = Callable[[str], bool]
ROOT = Path(__file__).resolve().parents[1]
SECRETS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
# LiteLLM's patterns for what we look for too; its tests for topics and violence are another matter.
LITELLM_PATTERNS = (
    "us_ssn", "email", "us_phone", "credit_card", "visa", "mastercard", "amex", "discover", "aws_access_key", "aws_secret_key", "github_token", "slack_token",
    "generic_api_key", "ipv4", "ipv6", "iban", "passport_us", "passport_uk", "passport_germany", "passport_france", "nl_bsn_contextual", "br_cpf", "au_tfn", "fr_nir", "sg_nric",
    "ca_sin", "street_address", "fr_phone",
)  # fmt: skip
LITELLM_CATEGORIES = (
    "prompt_injection_jailbreak",
    "prompt_injection_system_prompt",
    "prompt_injection_data_exfiltration",
)

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import waits for the network
logging.disable(logging.WARNING)  # LiteLLM reports every hit


class Absent(Exception):
    """A peer cannot run here; the message says why."""


_PLAN = [
    re.compile(p)
    for p in (r'(?i)\b"?ssn"?\b', r"(?i)password", r"(?i)api[_-]?key", r"(?i)secret", r"(?i)private[_-]?key")
]
_TOKEN = re.compile(r"\S{24,}")


def plan_rule(text: str) -> Spans:
    """The original policy: five regexes, and every token of 24 characters with 3.5 bits of entropy each."""
    found = [m.span() for pattern in _PLAN for m in pattern.finditer(text)]
    for m in _TOKEN.finditer(text):
        size = len(m.group())
        if -sum(n / size * math.log2(n / size) for n in Counter(m.group()).values()) >= 3.5:
            found.append(m.span())
    return found


def litellm_patterns() -> FindSpans:
    """LiteLLM's content filter with its built-in patterns. Raises Absent."""
    try:
        from litellm.proxy.guardrails.guardrail_hooks.litellm_content_filter.content_filter import (
            ContentFilterGuardrail,
        )
        from litellm.types.guardrails import ContentFilterAction, ContentFilterPattern

        guard = ContentFilterGuardrail(
            guardrail_name="bench",
            patterns=[
                ContentFilterPattern(
                    pattern_type="prebuilt", pattern_name=name, action=ContentFilterAction.MASK
                )
                for name in LITELLM_PATTERNS
            ],
        )
        guard._find_pattern_spans("x", guard.compiled_patterns[0])
    except Exception as error:
        raise Absent(f"LiteLLM's content filter: {type(error).__name__}") from None
    return lambda text: [
        span for entry in guard.compiled_patterns for span in guard._find_pattern_spans(text, entry)
    ]


def litellm_categories() -> Flags:
    """LiteLLM's content filter with its prompt-injection categories. Raises Absent."""
    try:
        from fastapi import HTTPException
        from litellm.proxy.guardrails.guardrail_hooks.litellm_content_filter.content_filter import (
            ContentFilterGuardrail,
        )

        guard = ContentFilterGuardrail(
            guardrail_name="bench",
            categories=[
                {"category": name, "enabled": True, "action": "BLOCK", "severity_threshold": "low"}
                for name in LITELLM_CATEGORIES
            ],  # type: ignore[list-item]
        )
        if not guard.loaded_categories:
            raise Absent("LiteLLM's content filter: no categories loaded")
    except Absent:
        raise
    except Exception as error:
        raise Absent(f"LiteLLM's content filter: {type(error).__name__}") from None

    def flags(text: str) -> bool:
        try:
            guard._filter_single_text(text)
        except HTTPException:
            return True
        return False

    return flags


def litellm_similarity() -> Flags:
    """LiteLLM's prompt-injection heuristic (string similarity at every offset). Raises Absent."""
    try:
        from litellm.proxy.hooks.prompt_injection_detection import _OPTIONAL_PromptInjectionDetection

        return _OPTIONAL_PromptInjectionDetection().check_user_input_similarity
    except Exception as error:
        raise Absent(f"LiteLLM's similarity heuristic: {type(error).__name__}") from None


# Files, not single lines: a single line is searched eagerly, every word of it a suspect.
_SCAN = """
import json, os, sys, tempfile
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
with default_settings(), tempfile.TemporaryDirectory() as home:
    for number, raw in enumerate(sys.stdin):
        name = os.path.join(home, f"{number}.txt")
        with open(name, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(json.loads(raw))
        secrets = SecretsCollection()
        secrets.scan_file(name)
        print(json.dumps([[s.line_number - 1, s.secret_value] for s in secrets[name] if s.secret_value]), flush=True)
        os.unlink(name)
"""


def detect_secrets(texts: Sequence[str]) -> list[Spans]:
    """detect-secrets with its default plugins and filters. Raises Absent."""
    if not SECRETS_PYTHON.exists():
        raise Absent("detect-secrets: no .venv-bench (see the head of benchmarks/detection_peers.py)")
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run([str(SECRETS_PYTHON), "-c", _SCAN], input=lines, capture_output=True, text=True)
    if done.returncode:
        raise Absent(f"detect-secrets: ended with {done.returncode}")
    found: list[Spans] = []
    for text, raw in zip(texts, done.stdout.splitlines(), strict=True):
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        spans: Spans = []
        for number, value in json.loads(raw):
            at = text.find(value, starts[min(number, len(starts) - 1)])
            if at >= 0:
                spans.append((at, at + len(value)))
        found.append(spans)
    return found

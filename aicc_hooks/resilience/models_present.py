"""Compares configured model names with what Ollama has, and says what to type when one is missing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from aicc_hooks.resilience.ollama_models import full_name
from aicc_hooks.resilience.openai_server import Serves


@dataclass(frozen=True, slots=True)
class MissingModel:
    """A configured model Ollama does not have; `closest` are present ones with a similar name."""

    name: str
    closest: tuple[str, ...]

    @property
    def command(self) -> str:
        """What fetches it."""
        return f"ollama pull {self.name.removesuffix(':latest')}"

    @property
    def sentence(self) -> str:
        """One line for a person."""
        near = f"; the closest here: {', '.join(self.closest)}" if self.closest else ""
        return f"model '{self.name}' is not in Ollama{near}. Run: {self.command}"


def missing_models(expected: Iterable[str], present: Collection[str]) -> tuple[MissingModel, ...]:
    """The expected names Ollama lacks, in order, each with up to three close ones."""
    have = {full_name(p): p for p in present}
    out: list[MissingModel] = []
    for name in dict.fromkeys(full_name(e) for e in expected):
        if name not in have:
            out.append(MissingModel(name, _closest(name, sorted(have))))
    return tuple(out)


@dataclass(frozen=True, slots=True)
class NotServed:
    """A configured model that an OpenAI-compatible server does not list."""

    name: str
    server: str
    closest: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One line for a person."""
        near = f"; the closest there: {', '.join(self.closest)}" if self.closest else "; it lists none"
        return f"model '{self.name}' is not served at {self.server}{near}"


def not_served(expected: Iterable[str], serves: Serves, server: str) -> tuple[NotServed, ...]:
    """The expected names a server does not answer to. None for a server that takes any name."""
    # mlx_lm.server and LM Studio have names of their own for "what is loaded".
    lacking = [n for n in dict.fromkeys(expected) if n != "default_model" and serves.find(n) is None]
    return tuple(NotServed(n, server, _alike(n, serves.names)) for n in lacking)


def _alike(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three names, the most similar first; whatever there is when none is similar."""
    return tuple(difflib.get_close_matches(name, names, n=3, cutoff=0.4)) or names[:3]


def _closest(name: str, names: list[str]) -> tuple[str, ...]:
    family = name.split(":", 1)[0]
    same_family = [n for n in names if n.split(":", 1)[0] == family]
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return tuple(dict.fromkeys([*same_family, *alike]))[:3]

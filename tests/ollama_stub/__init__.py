"""A stand-in for Ollama: `python -m tests.ollama_stub --port N`, or `OllamaStub()` in a test."""

from tests.ollama_stub.app import OllamaStub
from tests.ollama_stub.models import Model

__all__ = ["Model", "OllamaStub"]

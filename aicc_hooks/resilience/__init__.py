"""Keeps the gateway answering: breaker, queue, context, health, supervision. Nothing here imports LiteLLM."""

"""Servers that take the place of what the gateway talks to."""

"""Real client programs against a real gateway: `make test-clients`. See docs/clients.md."""

"""Starts what the tests run against: the real proxy, a real Redis; makes and finds planted values."""

from tests.harness.canaries import Canary, Hit, make_canaries, search_bytes
from tests.harness.gateway import GatewayProcess, GatewayStartError
from tests.harness.net import cloud_host, free_port
from tests.harness.redis import RedisProcess
from tests.standins.server import wait_until

__all__ = [
    "Canary",
    "GatewayProcess",
    "GatewayStartError",
    "Hit",
    "RedisProcess",
    "cloud_host",
    "free_port",
    "make_canaries",
    "search_bytes",
    "wait_until",
]

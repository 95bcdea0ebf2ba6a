"""policy.yaml: schema, loading, hot reload."""

from aicc_hooks.policy.load import LoadedPolicy, check_routes, load_policy, parse_policy
from aicc_hooks.policy.schema import Policy
from aicc_hooks.policy.store import PolicyStore

__all__ = ["LoadedPolicy", "Policy", "PolicyStore", "check_routes", "load_policy", "parse_policy"]

"""policy.yaml: the plan's file with the plan's meanings, errors that name the field, reload without restart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.errors import PolicyError
from aicc_hooks.home import shipped
from aicc_hooks.policy import LoadedPolicy, Policy, PolicyStore, check_routes, load_policy, parse_policy
from aicc_hooks.policy.schema import as_yaml_tree

# "Smart Router Policy" of the plan, word for word.
PLAN = r"""
privacy:
  pii_regexes:
    - (?i)\\b\"?ssn\"?\\b
    - (?i)password
    - (?i)api[_-]?key
    - (?i)secret
    - (?i)private[_-]?key
  entropy_threshold: 3.5
  min_token_length: 24

complexity:
  simple_max_tokens: 256
  medium_max_tokens: 1024
  code_signals: ["```", "def ", "class ", "function ", "const "]
  reasoning_signals: ["why", "prove", "derive", "design", "tradeoff"]

routing:
  privacy_route: llama-fast
  simple_route: llama-fast
  medium_route: qwen-local
  complex_route: deepseek-local
  injection_route: llama-fast
  block_on_injection: false
"""
GROUPS = ("qwen-local", "deepseek-local", "llama-fast", "auto")


def test_the_plans_file_loads_and_means_the_defaults() -> None:
    policy = parse_policy(PLAN)
    check_routes(policy, GROUPS, source="policy.yaml")
    default = Policy()
    assert policy.complexity == default.complexity
    assert policy.routing == default.routing
    assert policy.privacy.model_copy(update={"pii_regexes": default.privacy.pii_regexes}) == default.privacy
    assert policy.privacy.pii_regexes[1:] == default.privacy.pii_regexes[1:]
    assert policy.privacy.keyword_mentions == "value"
    assert policy.routing.explicit_local == "override"


def test_the_shipped_file_has_every_key_with_its_default() -> None:
    tree = yaml.safe_load(shipped("policy.yaml").read_text())
    assert tree == as_yaml_tree(Policy())


def test_the_plans_pattern_that_can_never_match_disables_itself_loudly() -> None:
    problems = PrivacyDetector(parse_policy(PLAN).privacy).pattern_problems
    assert [p.field for p in problems] == ["privacy.pii_regexes[0]"]
    assert PrivacyDetector(Policy().privacy).pattern_problems == ()


def test_the_shipped_file_holds_the_defaults() -> None:
    def plain(policy: Policy) -> dict[str, Any]:
        tree = policy.model_dump()
        # A quote needs no backslash in a pattern; the plan's list has one, the shipped file spares the reader.
        tree["privacy"]["pii_regexes"] = [p.replace('\\"', '"') for p in policy.privacy.pii_regexes]
        return tree

    assert plain(load_policy(shipped("policy.yaml")).policy) == plain(Policy())


@pytest.mark.parametrize("section", ["cache", "resilience", "speed"])
def test_the_shipped_file_shows_every_key_of(section: str) -> None:
    def keys(tree: Any, path: str) -> set[str]:
        if not isinstance(tree, dict) or not tree:
            return {path}
        return set().union(*(keys(value, f"{path}.{name}") for name, value in tree.items()))

    shown = yaml.safe_load(shipped("policy.yaml").read_text())
    assert keys(shown[section], section) == keys(as_yaml_tree(Policy())[section], section)


def test_an_empty_file_and_no_file_are_the_defaults(tmp_path: Path) -> None:
    assert parse_policy("") == parse_policy("# nothing\n") == load_policy(None).policy == Policy()


# text, words the message must hold: the field, what was found, what is allowed
WRONG = [
    ("privcy: {}", ["privcy", "unknown key", "did you mean 'privacy'", "routing"]),
    ("routing: {privacy_rout: x}", ["routing.privacy_rout", "did you mean 'privacy_route'"]),
    ("gate: {max_body: 5}", ["gate.max_body", "max_body_bytes"]),
    ("privacy: {entities: {email: {acton: route}}}", ["privacy.entities.email.acton", "did you mean 'action'", "allowed here: action"]),
    ("privacy: {custom: [{name: badge, pattern: x, colour: red}]}", ["privacy.custom.0.colour", "checksum"]),
    ("privacy: {entities: {email: {action: drop}}}", ["privacy.entities.email.action", "'drop'", "'redact'"]),
    ("privacy: {entropy_threshold: high}", ["privacy.entropy_threshold", "'high'", "number"]),
    ("privacy: {min_token_length: 2}", ["privacy.min_token_length", "2", "8"]),
    ("privacy: {pii_regexes: password}", ["privacy.pii_regexes", "'password'"]),
    ("routing: {block_on_injection: perhaps}", ["routing.block_on_injection", "'perhaps'", "boolean"]),
    ("routing: {explicit_local: always}", ["routing.explicit_local", "'always'", "'honour'"]),
    ("routing: {medium_route: [a]}", ["routing.medium_route", "['a']", "string"]),
    ("injection: {block_threshold: 2}", ["injection.block_threshold", "2", "1"]),
    ("gate: {extra_routes: ['/v1/moderations']}", ["gate.extra_routes.0", "'/v1/moderations'", "GET|POST"]),
    ("lan: maybe", ["lan", "'maybe'"]),
    ("local_hosts: localhost", ["local_hosts", "'localhost'"]),
    ("[]", ["mapping", "list"]),
    ("just text", ["mapping", "str"]),
    ("false", ["mapping", "bool"]),
    ("privacy:\n\tx: 1", ["not valid YAML", "line 2"]),
    ("privacy: [1,", ["not valid YAML", "line"]),
    ("lan: false\nprivacy: {}\nlan: true", ["line 3", "'lan'", "twice"]),
    ("privacy: {cloud: block, cloud: reroute}", ["'cloud'", "twice"]),
    ("x: !!python/object/apply:os.system [ls]", ["not valid YAML"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[w[0][:40] for w in WRONG])
def test_a_wrong_policy_names_the_field_what_was_found_and_what_is_allowed(
    text: str, words: list[str]
) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="my/policy.yaml")
    message = str(caught.value)
    assert message.startswith("my/policy.yaml: ")
    for word in words:
        assert word in message


def test_anchors_and_merges_of_yaml_still_work() -> None:
    policy = parse_policy("routing: &r {simple_route: a}\n")
    assert policy.routing.simple_route == "a"
    assert parse_policy(
        "privacy:\n  entities:\n    email: &e {action: route}\n    phone: {<<: *e}\n"
    ).privacy.entities["phone"] == (parse_policy("privacy: {entities: {phone: {action: route}}}").privacy.entities["phone"])  # fmt: skip


def test_a_found_value_is_cut_short() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("privacy: {pii_regexes: " + "s" * 500 + "}")
    assert "s" * 61 not in str(caught.value)


def test_every_route_must_be_a_group_of_config_yaml() -> None:
    for key in ("privacy_route", "simple_route", "medium_route", "complex_route", "injection_route"):
        policy = parse_policy(f"routing: {{{key}: lama-fast}}")
        with pytest.raises(PolicyError) as caught:
            check_routes(policy, GROUPS, source="p")
        for word in (f"routing.{key}", "'lama-fast'", "did you mean 'llama-fast'", "allowed: deepseek-local"):
            assert word in str(caught.value)


def test_an_alias_is_no_route() -> None:
    with pytest.raises(PolicyError, match=r"routing\.simple_route: found 'auto'.*aliases"):
        check_routes(parse_policy("routing: {simple_route: auto}"), GROUPS, source="p")


# --- reload -----------------------------------------------------------------------------------


def write(path: Path, text: str, tick: int) -> None:
    """Change a file with its own time stamp, so that the test does not wait for the clock."""
    path.write_text(text)
    os.utime(path, ns=(tick * 10**9, tick * 10**9))


def test_a_changed_file_comes_into_force_and_a_wrong_one_keeps_the_last_good(tmp_path: Path) -> None:
    path, seen = tmp_path / "policy.yaml", list[LoadedPolicy]()
    write(path, "lan: false", 1)
    store = PolicyStore(path)
    store.on_change(seen.append)
    assert store.current is not None
    first = store.current.version
    assert store.poll() is False
    write(path, "lan: true", 2)
    assert store.poll() is True
    assert store.current.policy.lan
    assert store.current.version != first
    write(path, "lan: nope", 3)
    assert store.poll() is False
    assert store.current.policy.lan, "the last good one stays in force"
    assert "lan" in store.error
    assert store.poll() is False
    write(path, "lan: true", 4)
    store.poll()
    assert store.error == ""
    path.unlink()
    assert store.poll() is False
    assert store.current.policy.lan
    assert "cannot be read" in store.error
    write(path, "debug: true", 5)
    assert store.poll() is True
    assert [loaded.policy.lan for loaded in seen][:2] == [False, True]
    assert seen[-1].policy.debug


def test_a_file_that_is_wrong_from_the_start_gives_no_policy_at_all(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "privcy: {}", 1)
    store = PolicyStore(path)
    assert store.current is None
    assert "privcy" in store.error
    write(path, "{}", 2)
    assert store.poll() is True
    assert store.error == ""


def test_a_missing_or_unreadable_file_is_no_default(tmp_path: Path) -> None:
    assert PolicyStore(tmp_path / "gone.yaml").current is None
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "UnicodeDecodeError" in PolicyStore(tmp_path / "bytes.yaml").error
    assert PolicyStore(None).current is not None


def test_routes_are_checked_on_reload(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "{}", 1)
    store = PolicyStore(path, groups=lambda: GROUPS)
    assert store.current is not None
    write(path, "routing: {medium_route: gone}", 2)
    assert store.poll() is False
    assert "routing.medium_route" in store.error
    assert store.current.policy.routing.medium_route == "qwen-local"


def test_a_policy_that_cannot_be_put_into_force_is_said_so_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    write(path, "{}", 1)
    store = PolicyStore(path)

    def listener(loaded: LoadedPolicy) -> None:
        if loaded.policy.lan:
            raise RuntimeError("hunter2")

    store.on_change(listener)
    write(path, "lan: true", 2)
    assert store.poll() is False
    assert "RuntimeError" in store.error
    assert "hunter2" not in store.error
    assert store.current is not None
    assert not store.current.policy.lan


def test_the_version_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("lan: false")
    one = load_policy(path)
    path.write_text("lan: false # comment")
    two = load_policy(path)
    assert one.policy == two.policy
    assert one.version != two.version
    assert len(one.version) == 12
    assert yaml.safe_load(path.read_text()) == {"lan": False}

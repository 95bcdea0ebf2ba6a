"""What the user's policy changes: actions, keywords, own patterns and own entities."""

from __future__ import annotations

import pytest

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector, redact_text
from aicc_hooks.detect.privacy.config import PLAN_PATTERNS, CustomEntity, EntityRule


def make(**keys: object) -> PrivacyDetector:
    return PrivacyDetector(PrivacyConfig.model_validate(keys))


def test_the_plans_patterns_are_fine_and_a_mention_alone_is_not_private() -> None:
    detector = make()
    assert detector.pattern_problems == ()
    for text in (
        "What is an SSN?",
        "how do I reset my password",
        "explain the secret of api_key rotation",
        "private key cryptography",
    ):
        assert detector.find(text) == ()


def test_keyword_mentions_route_restores_the_literal_reading() -> None:
    detector = make(keyword_mentions="route")
    text = "how do I reset my password"
    (finding,) = detector.find(text)
    assert (finding.action, text[finding.start : finding.end]) == ("route", "password")
    redacted = redact_text(detector, "password: Winter2031!x")
    assert redact_text(detector, redacted) == redacted


def test_keyword_mentions_ignore_still_finds_values() -> None:
    assert [f.type for f in make(keyword_mentions="ignore").find("password=Winter2031!x")] == ["password"]


def test_a_pattern_finds_its_value_behind_an_escaped_line_end() -> None:
    text = '{"log": "done\\nPRJ-12345\\n"}'
    (finding,) = make(pii_regexes=[r"\bPRJ-\d{5}\b"]).find(text)
    assert text[finding.start : finding.end] == "PRJ-12345"


def test_any_other_pattern_is_a_custom_entity() -> None:
    text = "the Project Falcon budget"
    (finding,) = make(pii_regexes=[r"(?i)project falcon"]).find(text)
    assert (finding.type, finding.action, text[finding.start : finding.end]) == (
        "custom",
        "route",
        "Project Falcon",
    )


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(?i)\\b\"?ssn\"?\\b", "literal backslash"), (r"\\d{3}-\\d{4}", "literal backslash"), ("(unclosed", "does not compile"), ("(a+)+$", "backtrack"), (r"(\w+\s?)*x", "backtrack"),
        (r"(a|aa)+b", "backtrack"), ("abc^def", "never match"), ("end$ing", "never match"), ("x*", "empty"), ("   ", "is empty"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_work_is_named_and_disabled_alone(pattern: str, reason: str) -> None:
    detector = make(pii_regexes=[*PLAN_PATTERNS, pattern, "Falcon"])
    (problem,) = detector.pattern_problems
    assert problem.field == "privacy.pii_regexes[5]"
    assert problem.found == pattern
    assert reason in problem.reason
    assert problem.fix
    assert [f.type for f in detector.find("Falcon")] == ["custom"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bEMP-\d{6}\b",
        r"(?:\d{3}-){2}\d{4}",
        r"[\w.]+@corp\.example",
        r"(?i)^internal:.*$",
        r"C:\\data\\\w+",
        r"(?m)^top secret$",
    ],
)
def test_ordinary_patterns_pass(pattern: str) -> None:
    assert make(pii_regexes=[pattern]).pattern_problems == ()


def test_a_pattern_that_runs_out_of_time_counts_as_a_match() -> None:
    detector = make(pii_regexes=[r"a[ab]{0,400}c[ab]{0,400}d[ab]{0,400}e"], pattern_timeout_ms=1)
    text = ("a" + "b" * 399 + "c" + "b" * 399 + "d") * 300
    assert detector.pattern_problems == ()
    assert ("custom", 0, len(text), "route") in [
        (f.type, f.start, f.end, f.action) for f in detector.find(text)
    ]


def test_actions_come_from_the_policy() -> None:
    text = "mail ann@mail.org, ssn 536-22-8412"
    detector = make(entities={"email": {"action": "route"}, "us_ssn": {"action": "ignore"}})
    assert [(f.type, f.action) for f in detector.find(text)] == [("email", "route")]
    assert EntityRule(action="redact").action == "redact"


def test_an_unknown_entity_name_is_reported() -> None:
    (problem,) = make(entities={"e_mail": {"action": "route"}}).pattern_problems
    assert problem.field == "privacy.entities.e_mail"


EMPLOYEE = CustomEntity(
    name="employee_id",
    pattern=r"\bE\d{7}\b",
    keywords=("employee", "staff"),
    checksum="none",
    action="redact",
    examples=("employee E1234567",),
    counterexamples=("flight E1234567",),
)


def test_a_custom_entity_needs_its_keyword_near() -> None:
    detector = PrivacyDetector(PrivacyConfig(custom=(EMPLOYEE,)))
    assert [(f.type, f.action) for f in detector.find("Employee E1234567 left")] == [
        ("employee_id", "redact")
    ]
    assert detector.find("flight E1234567 left") == ()
    assert detector.check_examples() == ()


def test_checksums_of_custom_entities() -> None:
    detector = PrivacyDetector(
        PrivacyConfig(custom=(CustomEntity(name="member_no", pattern=r"\bM-\d{4,}\b", checksum="luhn"),))
    )
    # letters are part of the checked value only where the check knows letters
    assert detector.find("M-79927398713") == ()
    digits = PrivacyDetector(
        PrivacyConfig(custom=(CustomEntity(name="member_no", pattern=r"\b\d{11}\b", checksum="luhn"),))
    )
    assert [f.type for f in digits.find("no 79927398713")] == ["member_no"]
    assert digits.find("no 79927398714") == ()


def test_wrong_examples_are_reported_by_place() -> None:
    broken = EMPLOYEE.model_copy(update={"examples": ("E1234567",), "counterexamples": ("staff E7654321",)})
    problems = PrivacyDetector(PrivacyConfig(custom=(broken,))).check_examples()
    assert [p.field for p in problems] == [
        "privacy.custom[0].examples[0]",
        "privacy.custom[0].counterexamples[0]",
    ]


def test_entropy_anywhere_restores_the_plans_literal_rule() -> None:
    text = "look at Zk3vQ9xLm2Rt8Wp5Ns7Jd4Hf6 please"
    assert make().find(text) == ()
    assert [f.type for f in make(entropy_scope="anywhere").find(text)] == ["high_entropy"]
    assert make(entropy_scope="anywhere", entropy_threshold=7.5).find(text) == ()

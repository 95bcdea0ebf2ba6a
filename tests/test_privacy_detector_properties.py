"""Properties that hold for any text: spans, redaction, order, disguises, failure, time."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aicc_hooks.detect.privacy import DROPPED, PrivacyConfig, PrivacyDetector, redact, redact_text
from aicc_hooks.detect.privacy.evaluate import covered, evaluate, table
from aicc_hooks.verdict import Role, Segment

DETECTOR = PrivacyDetector(PrivacyConfig(), remember=0)  # times and repeats
KEY = b"a key for tests"
SECRETS = [
    "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6",
    "password=Winter2031!x",
    "my password is Sonnenblume99x",
    "postgres://app:p4sSw0rdX@db/shop",
    "AKIA" + "QZ3FM7NPWX5TL2KD",
    "536-22-8412",
    "DE89 3704 0044 0532 0130 00",
    "4539 1488 0343 6467",
    "jo.smith@mail.co.uk",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----",
]
SNIPPETS = st.sampled_from(
    [
        *SECRETS,
        "password",
        "token: ",
        "[PASSWORD]",
        "my name is ",
        "Dear ",
        "::",
        "-----BEGIN ",
        "=",
        "\u00ad",
        "\u200b",
        "\u00a0",
        "İ",
        "é",
        "\n",
        "1" * 30,
        "a" * 40,
        "%3A%2F%2F",
    ]
)
TEXTS = st.lists(st.one_of(st.text(max_size=40), SNIPPETS), max_size=12).map("".join)
CLEAN = st.text(alphabet="abcdefghijklmnopqrstuvwxyz ,.\n", max_size=200)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_spans_lie_in_the_text_sorted_and_apart(text: str) -> None:
    at = 0
    for f in DETECTOR.find(text):
        assert at <= f.start < f.end <= len(text)
        at = f.end


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.sampled_from(["type", "hash"]))
def test_redacting_twice_changes_nothing(text: str, style: str) -> None:
    once = redact_text(DETECTOR, text, style=style, key=KEY)  # type: ignore[arg-type]
    assert redact_text(DETECTOR, once, style=style, key=KEY) == once  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CLEAN, CLEAN, st.sampled_from(SECRETS))
def test_clean_text_around_a_secret_never_hides_it(before: str, after: str, secret: str) -> None:
    text = f"{before}\n{secret}\n{after}"
    assert redact_text(DETECTOR, text).count(secret) == text.count(secret) - 1


@pytest.mark.parametrize("before", ["po", "order", "id", "Booking"])
def test_a_word_on_the_line_before_says_nothing_about_a_card_number(before: str) -> None:
    assert redact_text(DETECTOR, f"{before}\n4539 1488 0343 6467") == f"{before}\n[CREDIT_CARD]"
    same_line = f"{before} 4539 1488 0343 6467"
    assert redact_text(DETECTOR, same_line) == same_line


@pytest.mark.parametrize("before", ["order", "ref", "ticket", "Invoice"])
def test_a_word_on_the_line_before_says_nothing_about_a_phone_number(before: str) -> None:
    assert redact_text(DETECTOR, f"{before}\n(415) 555-2671") == f"{before}\n[PHONE]"
    same_line = f"{before} (415) 555-2671"
    assert redact_text(DETECTOR, same_line) == same_line


def test_a_line_end_reaches_no_further_than_any_other_character_before_an_address() -> None:
    """`version` speaks for what is at most two blanks away, `client` for five characters."""
    for blank in " \n":
        near, far = f"version{blank * 2}10.20.30.40", f"version{blank * 3}10.20.30.40"
        assert redact_text(DETECTOR, near) == near
        assert redact_text(DETECTOR, far) == f"version{blank * 3}[IP_ADDRESS]"
    for last in ")\n":
        assert redact_text(DETECTOR, f"client ...{last}1.2.3.4") == f"client ...{last}[IP_ADDRESS]"


@pytest.mark.parametrize("secret", SECRETS)
def test_line_ends_tabs_and_indents_keep_the_verdict(secret: str) -> None:
    for wrapped in (
        f"\r\n{secret}\r\n",
        f"\t{secret}\t",
        f"    {secret}",
        f"> {secret}",
        f"`{secret}`",
        f'"{secret}"',
        f"({secret})",
    ):
        assert DETECTOR.find(wrapped), wrapped


@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_in_json_within_the_text_is_found_where_it_stands(secret: str) -> None:
    """Arguments of tool calls and results of tools are JSON: there a line end is a backslash and a letter."""
    values = [secret[f.start : f.end] for f in DETECTOR.find(secret)]
    for before in ("\n", "\t", "x:\r\n"):
        inner = json.dumps({"content": f"{before}{secret}\n"})
        for text in (inner, json.dumps({"arguments": inner}), inner.replace("/", "\\/")):
            left = redact_text(DETECTOR, text).replace("\\", "")
            assert DETECTOR.find(text), text
            assert not any(value.replace("\n", "n") in left for value in values), text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"a": "ssn \\u0035\\u0033\\u0036-22-841\\u0033"}', '{"a": "ssn [US_SSN]"}'),
        ('{"q": "password\\u003dhunter2xQ!"}', '{"q": "password\\u003d[PASSWORD]"}'),
        (
            '{"u": "postgres:\\/\\/bob:S3cretPw9x@db\\/x"}',
            '{"u": "postgres:\\/\\/bob:[CONNECTION_STRING]@db\\/x"}',
        ),
        ("a\u200b b: ssn \\u0035\\u0033\\u0036-22-8413", "a\u200b b: ssn [US_SSN]"),
        ("password=ab\\ncd9Xy!", "password=[PASSWORD]"),
    ],
)
def test_escaped_characters_are_read_and_redacted_whole(text: str, redacted: str) -> None:
    assert redact_text(DETECTOR, text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "PASSWORD=Winter2031!x",
        "Password = Winter2031!x",
        "My PASSWORD Is Winter2031!x",
        "MEIN PASSWORT LAUTET Winter2031!x",
        "Ssn 536 22 8412",
        "iban de89 3704 0044 0532 0130 00",
    ],
)
def test_the_case_of_the_announcing_words_does_not_matter(text: str) -> None:
    assert any(f.action == "route" for f in DETECTOR.find(text))


@pytest.mark.parametrize(
    "text",
    [
        "SSN 536\u201122\u20118412", "4539\u00a01488\u202f0343\u20096467", "gh\u200bp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6",
        "my p\u0430ssword is Winter2031x", "my pass\u00adword is Winter2031x", "５３６-２２-８４１２", "\U0001d429\U0001d41a\U0001d42c\U0001d42c\U0001d430\U0001d428\U0001d42b\U0001d41d: Winter2031x",
        "token:\nghp_aB3dE6gH9jK2mN5p\nQ8sT1vW4yZ7bC0eF3hJ6\n",
    ],
)  # fmt: skip
def test_disguised_values_are_found_and_redacted_in_the_original(text: str) -> None:
    findings = DETECTOR.find(text)
    assert any(f.action == "route" for f in findings)
    assert not any(c.isdigit() for c in redact(text, findings)), redact(text, findings)


def test_one_level_of_encoding_is_opened() -> None:
    key = "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
    for text in (
        base64.b64encode(key.encode()).decode(),
        urllib.parse.quote("postgres://u:s3cretPw9@h/db", safe=""),
        f'{{"k": "-----BEGIN PRIVATE KEY-----\\n{"MIIEvQIBADANBgkq" * 4}\\n-----END PRIVATE KEY-----\\n"}}',
    ):
        assert any(f.action == "route" for f in DETECTOR.find(f"see {text} here")), text


def test_hash_style_tells_equal_from_different_and_needs_a_key() -> None:
    a = redact_text(DETECTOR, "mail ann@mail.org and bob@mail.org and ann@mail.org", style="hash", key=KEY)
    marks = [w for w in a.split() if w.startswith("[")]
    assert len(marks) == 3
    assert marks[0] == marks[2] != marks[1]
    with pytest.raises(ValueError, match="key"):
        redact("x", (), style="hash")


def test_failure_drops_the_text_and_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = PrivacyDetector(PrivacyConfig(), remember=0)
    monkeypatch.setattr(detector, "_merge", lambda *a: 1 / 0)
    assert redact_text(detector, "anything") == DROPPED
    result = detector.inspect([Segment("anything")])
    assert result.failed
    assert result.sensitive
    assert result.types == ("detector_failed",)


def test_segments_are_judged_apart_and_in_any_order() -> None:
    segments = [
        Segment("hello"),
        Segment(SECRETS[0], Role.TOOL),
        Segment("my ssn is 536-22-8412", Role.SYSTEM),
    ]
    forward = DETECTOR.inspect(segments)
    backward = DETECTOR.inspect(segments[::-1])
    assert {(f.type, f.start, f.end, f.segment) for f in forward.findings} == {
        (f.type, f.start, f.end, 2 - f.segment) for f in backward.findings
    }
    assert [f.segment for f in forward.findings] == [1, 2]


HOSTILE = ["a", "0", " ", "-", ":", ".", "@", "/", "=", '"', "A", "%", "1 ", "a1", "--", "::", "password ", "password: ", "token=", "my name is ", "Dear ", "address ", "1 Main ", "-----BEGIN PRIVATE KEY-----", "PuTTY-User-Key-File-2:",
           "eyJa.", "http://a:b", "x@", "id number ", "+1 ", "(0) ", "12 ", "born ", "xoxb-", "é", "пароль ", "rue ", "AA99", "Box 1 ", "key=\\", "\\", "\\n", "\\u0041", "AB", "Ab ", "suite 1\n", "1 Aa ", "9999AA ", "live_", "mysql -p", "auth('a',", "password as the ", "values ('Aa Bb',", "7, avenue de A, 79878 ", "passport C", "x12 ext. "]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    def cost(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = float("inf")
        for _ in range(3):
            began = time.thread_time()  # its own CPU time: what else runs does not count
            DETECTOR.find(text)
            best = min(best, time.thread_time() - began)
        return best

    small, large = cost(3_000), cost(24_000)
    # eight times the text: quadratic work would cost 64 times as much
    assert large < 0.03 or large < 30 * small, (unit, small, large)


def test_evaluation_counts_whole_spans_and_false_alarms() -> None:
    rows = [
        {"text": "my ssn is 536-22-8412", "spans": [{"start": 10, "end": 21, "type": "us_ssn"}], "label": 1},
        {"text": "nothing to see", "spans": [{"start": 0, "end": 7, "type": "person_name"}], "label": 1},
        {"text": "hello", "spans": [], "label": 0},
        {"text": "call it password=Winter2031!x", "spans": [], "label": 0},
    ]
    result = evaluate(rows, DETECTOR)
    assert result["overall"]["all"] == {
        "spans": 2,
        "full": 1,
        "recall": 0.5,
        "clean": 2,
        "alarms": 1,
        "alarm_rate": 0.5,
        "marked": 1,
        "marked_rate": 0.5,
    }
    assert result["misses"][0]["type"] == "person_name"
    assert "us_ssn" in table(result)
    assert covered(0, 4, ()) is False

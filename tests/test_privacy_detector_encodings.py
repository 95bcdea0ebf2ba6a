"""The same values as programs write them down: escaped, encoded, cut in two. Found, and gone from what is recorded."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from typing import Any

import pytest

from aicc_hooks.adapter.keeping import worth_keeping
from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector, redact, redact_text
from aicc_hooks.detect.privacy.text import _DASHES, _INVISIBLE, _NOT_A_DASH, _SPACES
from aicc_hooks.payload import extract
from aicc_hooks.record import RedactionConfig, Redactor, values_of

from .test_privacy_detector import POSITIVE
from .test_privacy_detector_forms import FORMS

DETECTOR = PrivacyDetector(PrivacyConfig(), remember=0)
CARD, SSN, IBAN = "4539 1488 0343 6467", "536-22-8412", "DE89 3704 0044 0532 0130 00"
KEY = "AKIA" + "QZ3FM7NPWX5TL2KD"
SEPARATORS = [c for c in _SPACES + _DASHES if c != _NOT_A_DASH]
MARKED = [*FORMS, *(marked for _, marked in POSITIVE)]


def private(text: str) -> bool:
    return any(f.action == "route" for f in DETECTOR.find(text))


def dumped(text: str, times: int) -> str:
    """The text as a value in JSON, and that JSON as a value in JSON."""
    for _ in range(times):
        text = json.dumps({"content": text})
    return text


def digits(text: str) -> int:
    return sum(map(str.isdigit, text))


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("separator", SEPARATORS, ids=lambda c: f"U+{ord(c):04X}")
def test_a_number_with_any_separator_is_found_in_json_within_a_text(separator: str, times: int) -> None:
    for value in (CARD, SSN, IBAN):
        text = dumped(f"it is {value.replace(' ', separator).replace('-', separator)} ok", times)
        text = text if value != SSN else text.replace("it is", "my ssn is")
        findings = DETECTOR.find(text)
        assert findings, text
        left = redact(text, findings)
        assert left.startswith('{"content": "') or times > 1
        assert not any(group in left for group in value.replace("-", " ").split()), left


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("invisible", _INVISIBLE, ids=lambda c: f"U+{ord(c):04X}")
def test_an_invisible_character_hides_nothing(invisible: str, times: int) -> None:
    for value in (CARD, SSN, IBAN, KEY):
        text = dumped(f"see {value[:6]}{invisible}{value[6:]} ok", times)
        findings = DETECTOR.find(text)
        assert findings, text
        left = redact(text, findings)
        assert value[:6] not in left
        assert value[6:] not in left


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("marked", MARKED, ids=range(len(MARKED)))
def test_what_is_found_in_a_text_is_found_when_json_escapes_it(marked: str, times: int) -> None:
    plain = marked.replace("⟦", "").replace("⟧", "")
    if private(plain):
        assert private(dumped(plain, times)), dumped(plain, times)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "text",
    [
        '"Пароль": "Sommer99x!"',
        "'contraseña': 'Sommer99x!'",
        "Пароль: Sommer99x!",
        "パスワード: Sommer99x!",
        "La contraseña es Sommer99x!",
        "我的密码是Sommer99x!",
    ],
)
def test_an_announcing_word_of_another_script_is_read(text: str, times: int) -> None:
    assert private(text)
    left = redact_text(DETECTOR, dumped(text, times))
    assert "[PASSWORD]" in left
    assert "Sommer99x" not in left


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_a_password_is_found_however_deep_the_json(times: int) -> None:
    text = dumped(json.dumps({"password": "hunter2!Zq"}), times)
    left = redact_text(DETECTOR, text)
    assert "hunter2" not in left
    assert left.endswith("}")


def test_offsets_point_into_the_original() -> None:
    text = json.dumps({"a": "é\u00a0\u200bü", "b": "ssn 536\u201122\u20118412", "c": "\U0001f600 ok"})
    (found,) = DETECTOR.find(text)
    assert text[found.start : found.end] == "536\\u201122\\u20118412"


def test_letters_of_mathematics_are_read_from_surrogate_pairs() -> None:
    text = json.dumps(
        "\U0001d429\U0001d41a\U0001d42c\U0001d42c\U0001d430\U0001d428\U0001d42b\U0001d41d: Winter2031x"
    )
    assert "\\ud835" in text
    assert private(text)


def test_a_pattern_of_ones_own_finds_what_json_escaped() -> None:
    detector = PrivacyDetector(
        PrivacyConfig.model_validate({"custom": [{"name": "projekt", "pattern": "Müller-[0-9]{5}"}]})
    )
    text = json.dumps({"a": "ä Müller-40312"})
    assert "u00fc" in text
    (found,) = detector.find(text)
    assert (found.type, text[found.start : found.end]) == ("projekt", "M\\u00fcller-40312")


# --- encodings -------------------------------------------------------------------------------------

NOTE = "Kundin Anna, IBAN DE89 3704 0044 0532 0130 00, bitte prüfen – danke."
ENCODED = {
    "base64": base64.b64encode(NOTE.encode()).decode(),
    "base64, url-safe": base64.urlsafe_b64encode(NOTE.encode()).decode().rstrip("="),
    "base64 of a number": base64.b64encode(SSN.encode()).decode(),
    "base64, blanks of another kind": base64.b64encode(f"card {CARD}".replace(" ", "\u00a0").encode()).decode(),
    "base64 of JSON": base64.b64encode(json.dumps({"iban": IBAN.replace(" ", "\u00a0")}).encode()).decode(),
    "base64 of a sentence": base64.b64encode(b"Hi! The password is hunter2!Zq, keep it.").decode(),
    "hex": f"ssn is {SSN}".encode().hex(),
    "HEX": "0x" + f"card {CARD}".encode().hex().upper(),
    "form": "card=" + urllib.parse.quote_plus(CARD),
    "percent": "number=" + urllib.parse.quote(CARD),
    "percent, in an address": "https://shop.example/pay?n=" + urllib.parse.quote(CARD) + "&x=1",
    "percent, dashes": "ssn=536%2D22%2D8412",
    "percent, no-break spaces": "iban=" + urllib.parse.quote(IBAN.replace(" ", "\u00a0")),
    "percent, every character": "card=" + "".join(f"%{ord(c):02x}" for c in CARD),
    "HTML": "card " + CARD.replace(" ", "&nbsp;"),
    "HTML, numbered": "card " + CARD.replace(" ", "&#160;"),
    "HTML, soft hyphens": "card " + CARD.replace(" ", "&shy;"),
    "HTML, dashes": "ssn " + SSN.replace("-", "&ndash;"),
    "a log of Python": repr({"iban": IBAN.replace(" ", "\u00a0")}),
    "wrapped": "my card is 4539 1488\n0343 6467, thanks",
    "wrapped, quoted": "> card: 4539 1488 0343\n> 6467",
    "wrapped, escaped": '{"a": "card 4539 1488 0343\\n6467"}',
}  # fmt: skip


@pytest.mark.parametrize("form", ENCODED)
def test_an_encoded_value_is_found_and_redacted(form: str) -> None:
    text = f"see {ENCODED[form]} there"
    assert private(text), text
    left = redact_text(DETECTOR, text)
    assert left.startswith("see ")
    assert left.endswith("there")
    for piece in (ENCODED[form], "4539", "6467", "8412", "0532"):
        assert piece not in left, left


CLEAN = {
    "base64 of a sentence": base64.b64encode("Die Prüfung beginnt um neun Uhr im Saal – pünktlich!".encode()).decode(),
    "hex of a sentence": b"the exam begins at nine".hex(),
    "form": "q=one+two+three&year=2031+2032+2033+2034&page=12+13",
    "percent": "https://x.example/search?q=order%2012345%20from%202031-04-12%20to%202031-05-12",
    "HTML": "<td>1&nbsp;204&nbsp;883</td><td>12&nbsp;345&nbsp;678</td>&copy;&#39;&#8217;",
    "columns of numbers": "year\n2021\n2022\n2023\n2024\n4111 1111\n5105 1051",
    "escapes of prose": json.dumps("Größe: 12\u00a0345\u00a0678 – «schön» 中文 \U0001f600"),
    "a path": "C:\\\\users\\u00fcber\\\\u1234\\new",
    "an image": "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 20).decode(),
}  # fmt: skip


@pytest.mark.parametrize("form", CLEAN)
def test_what_holds_no_value_stays_clean(form: str) -> None:
    assert not private(f"see {CLEAN[form]} there")


@pytest.mark.parametrize("before", [0, 100, 101, 102, 103, 30_000, 33_001, 70_002])
def test_a_value_deep_in_long_base64_is_found_where_it_stands(before: int) -> None:
    raw = ("ein Text – schön lang. " * 4_000).encode()[:before] + f" my ssn is {SSN}. ".encode()
    text = "data: " + base64.b64encode(raw + b"nothing to see here. " * 600).decode()
    found = [f for f in DETECTOR.find(text) if f.action == "route"]
    assert [f.type for f in found] == ["us_ssn"]
    hidden = base64.b64encode(SSN.encode()).decode()[4:-4]
    assert hidden not in redact(text, found)
    assert SSN.encode() not in base64.b64decode(text[6:][: (found[0].start - 6) // 4 * 4])


@pytest.mark.parametrize("wrap", ["{}", '{{"encoding": "base64", "content": {}}}'], ids=["lines", "json"])
@pytest.mark.parametrize("width", [60, 64, 76])
def test_base64_in_lines_is_read_across_their_ends(width: int, wrap: str) -> None:
    for before in range(0, 90, 7):
        raw = (
            "Die Straße ist ganz schön lang. " * 5 + "x" * before + f" card {CARD} " + "and so on. " * 20
        ).encode()
        data = base64.b64encode(raw).decode()
        lines = "\n".join(data[i : i + width] for i in range(0, len(data), width)) + "\n"
        text = wrap.format(lines if wrap == "{}" else json.dumps(lines))
        (found,) = DETECTOR.find(text)
        assert found.type == "credit_card"
        assert lines.split()[1] not in redact(text, [found])


def test_values_on_lines_of_their_own_are_read_alone() -> None:
    lines = [
        base64.b64encode(f"{n} my ssn is 536-22-84{n}, says the caller of today".encode()).decode()
        for n in (12, 13)
    ]
    noise = base64.b64encode(bytes(range(128, 176))).decode()
    for text in (
        "\n".join([lines[0], noise, lines[1]]),
        "\n".join([noise, *lines]),
        "\n".join([*lines, noise]),
    ):
        left = redact_text(DETECTOR, text)
        assert left.count("[US_SSN]") >= 1
        assert not any(line in left for line in lines), text


@pytest.mark.parametrize("unit", ["\\u0041", "\\\\u00a0", "\\ud83d", "\\\\\\\\", '\\\\\\"', "&nbsp;", "&#160;", "%20", "4111+", "4111 1111\n", "NTM2LTIyLTg0MTI= ", "c3Nu\u00a0", "\\u005c", "353336", "a%40b.c1 ", "YWJj" * 15 + "\n", "YWJj" * 15 + "\n" + "gICA" * 15 + "\n", "YWJj" * 15 + "\\n"])  # fmt: skip
def test_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    def cost(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = float("inf")
        for _ in range(3):
            began = time.thread_time()
            DETECTOR.find(text)
            best = min(best, time.thread_time() - began)
        return best

    small, large = cost(3_000), cost(24_000)
    assert large < 0.03 or large < 30 * small, (unit, small, large)


# --- what is recorded and kept ---------------------------------------------------------------------


def recorded(content: Any) -> str:
    """A user's message as it stands in the record of its request."""
    body = {"messages": [{"role": "user", "content": content}]}
    segments = extract("chat", body).segments
    result = DETECTOR.inspect(segments)
    assert result.sensitive
    redactor = Redactor(DETECTOR, RedactionConfig(), b"0123456789abcdef")
    return json.dumps(
        redactor.value(body, known=redactor.run(values_of(segments, result.findings))._known),
        ensure_ascii=False,
    )


def part(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


CACHED = {"cache_control": {"type": "ephemeral"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
SPLIT: dict[str, list[Any]] = {
    "two parts": [part("My card is 4539 1488 "), part("0343 6467")],
    "other fields": [part("My card is 4539 1488 ", **CACHED), part("0343 6467", **CACHED)],
    "a picture between": [part("My card is 4539 1488 ", **CACHED), PICTURE, part("0343 6467")],
    "four parts": [part("4539 ", **CACHED), part("1488 ", **CACHED), part("0343 ", **CACHED), part("6467", **CACHED)],
    "strings": ["My card is 4539 14", "88 0343 6467"],
    "announced": [part("The password is "), part("hunter2!Zq")],
    "announced, no blank": [part("The password is", **CACHED), part("hunter2!Zq", **CACHED)],
    "in the middle of long texts": [part("A long story. " * 80 + "ssn: 536-2", **CACHED), part("2-8412 is it. " + "And on. " * 90, **CACHED)],
}  # fmt: skip


@pytest.mark.parametrize("form", SPLIT)
def test_a_value_cut_between_parts_is_found_and_not_recorded(form: str) -> None:
    written = recorded(SPLIT[form])
    for piece in ("1488", "0343", "hunter2", "536-2", "8412"):
        assert piece not in written, written


@pytest.mark.parametrize("form", ENCODED)
def test_the_encoded_form_is_not_recorded(form: str) -> None:
    written = recorded(f"see {ENCODED[form]} there")
    assert json.dumps(ENCODED[form], ensure_ascii=False)[1:-1] not in written
    for piece in ("4539", "6467", "8412", "0532"):
        assert piece not in written, written


@pytest.mark.parametrize("times", [1, 2])
def test_the_escaped_form_is_not_recorded(times: int) -> None:
    written = recorded(dumped(f"card {CARD}".replace(" ", "\u00a0"), times))
    assert "4539" not in written
    assert "6467" not in written


def test_parts_that_say_a_value_by_themselves_are_counted_once() -> None:
    body = {"messages": [{"role": "user", "content": [part(f"card {CARD}"), part("please check it")]}]}
    assert [f.type for f in DETECTOR.inspect(extract("chat", body).segments).findings] == ["credit_card"]


@pytest.mark.parametrize(
    "parts",
    [
        [part("Summarise the year 2031"), part("2032 was better")],
        [part("Order 4539 1488"), part("Please check 0343 items")],
        [part("What is a password?"), part("Explain hashing2 in short")],
    ],
)
def test_parts_that_hold_nothing_together_stay_clean(parts: list[Any]) -> None:
    body = {"messages": [{"role": "user", "content": parts}]}
    assert not DETECTOR.inspect(extract("chat", body).segments).sensitive


def test_an_answer_whose_tool_call_holds_a_value_is_not_kept() -> None:
    def answer(arguments: str) -> bytes:
        call = {"id": "c", "type": "function", "function": {"name": "pay", "arguments": arguments}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return json.dumps(
            {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
        ).encode()

    for value in (IBAN, IBAN.replace(" ", "\u00a0")):
        inner = json.dumps({"iban": value})
        for arguments in (inner, json.dumps({"body": inner})):
            assert worth_keeping(DETECTOR, "chat", answer(arguments), stream=False) is None, arguments
    clean = answer(json.dumps({"to": "the café", "text": "see\nyou"}))
    assert worth_keeping(DETECTOR, "chat", clean, stream=False) == clean

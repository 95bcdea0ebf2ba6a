"""No value of a finding survives redaction, and whatever cannot be redacted is left out."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from aicc_hooks.detect.privacy import PrivacyDetector
from aicc_hooks.detect.privacy.config import PrivacyConfig
from aicc_hooks.errors import ConfigError
from aicc_hooks.record.config import RedactionConfig
from aicc_hooks.record.draft import RecordDraft
from aicc_hooks.record.known import KnownValues, values_of
from aicc_hooks.record.model import Record
from aicc_hooks.record.redaction import DROPPED, Redactor
from aicc_hooks.verdict import Decision, Finding, PrivacyResult, Role, Segment, Verdict

KEY = b"0123456789abcdef0123456789abcdef"
PASSWORD = "Tr0ub4dor&3/xyz"
SSN = "536-22-1847"
CARD = "5425233430109903"


@pytest.fixture(scope="module")
def detector() -> PrivacyDetector:
    return PrivacyDetector(PrivacyConfig())


def redactor(detector, **options) -> Redactor:
    return Redactor(detector, RedactionConfig(**options), KEY)


def dump(value) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(
    "structure",
    [
        pytest.param([{"role": "user", "content": f"my ssn is {SSN}"}], id="message"),
        pytest.param([{"role": "user", "content": [{"type": "text", "text": f"my ssn is {SSN}"}]}], id="part"),
        pytest.param(
            [{"role": "user", "content": [{"type": "text", "text": "my ssn is 536-2"}, {"type": "text", "text": "2-1847"}]}],
            id="cut-between-parts",
        ),
        pytest.param({"arguments": json.dumps({"ssn": SSN})}, id="tool-arguments"),
        pytest.param({"arguments": '{"ss\\u006e": "536\\u002d22-1847"}'}, id="escaped-tool-arguments"),
        pytest.param({"ssn": SSN}, id="context-in-the-key"),
        pytest.param({f"ssn {SSN}": 1}, id="key"),
        pytest.param({"metadata": {"a": {"b": ["x", {"note": f"ssn: {SSN}"}]}}}, id="nested"),
        pytest.param({"url": f"https://example.com/?ssn={SSN}"}, id="url"),
    ],
)  # fmt: skip
def test_a_found_value_is_gone_from_every_position(detector, structure):
    redacted = dump(redactor(detector).value(structure))
    assert SSN not in redacted
    assert "22-1847" not in redacted
    assert "[US_SSN]" in redacted


def test_a_long_number_is_text_too(detector):
    redacted = redactor(detector).value({"card": int(CARD), "temperature": 0.7, "seed": 7, "n": float("nan")})
    assert CARD not in dump(redacted)
    assert (redacted["temperature"], redacted["seed"]) == (0.7, 7)


def test_clean_structures_stay_as_they_are(detector):
    clean = [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Why is the sky blue?", "n": 3, "flag": True, "none": None},
    ]
    assert redactor(detector).value(clean) == clean


@pytest.mark.parametrize(
    "shown",
    [
        PASSWORD,
        PASSWORD[::-1],
        json.dumps(PASSWORD)[1:-1],
        PASSWORD.replace("/", "\\/"),
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower().replace("tr0ub4dor", "Tr0ub4dor"),
        PASSWORD.encode().hex(),
        *(base64.b64encode(b"x" * n + PASSWORD.encode() + b"tail").decode() for n in range(3)),
        *(base64.urlsafe_b64encode(b"x" * n + PASSWORD.encode()).decode().rstrip("=") for n in range(3)),
    ],
)  # fmt: skip
def test_a_known_value_is_found_again_without_context_and_encoded(detector, shown):
    text = f"sure, here it comes {shown} ok"
    core = shown if len(shown) < 24 else shown[6:-6]
    assert core in text
    redacted = redactor(detector).text(text, role=Role.ASSISTANT, known=[PASSWORD])
    assert core not in redacted
    assert redacted.startswith("sure, here it comes ")


def test_a_card_known_with_spaces_is_found_without(detector):
    known = {"5425 2334 3010 9903": "credit_card"}
    assert CARD not in redactor(detector).run(known).text(f"echo x{CARD}x")


def test_the_secret_part_of_a_known_value_is_found_alone(detector):
    lines = [chr(65 + i) * 40 + "x9" for i in range(3)]
    pem = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----"
    known = {pem: "private_key_pem", "postgres://app:p%40ss-w0rd@db/x": "connection_string"}
    redacted = (
        redactor(detector).run(known).text(f"the second line is {lines[1]} and I log in with p@ss-w0rd")
    )
    assert lines[1] not in redacted
    assert "p@ss-w0rd" not in redacted


def test_a_short_known_value_is_replaced_as_a_word_only(detector):
    redacted = redactor(detector).text("abc is not in abcdef", known=["abc"])
    assert redacted == "[VALUE] is not in abcdef"


def test_a_stream_is_joined_before_it_is_read(detector):
    run = redactor(detector).run()
    assert run.stream(["my s", "sn is 53", "6-22-", "1847", "."]) == "my ssn is [US_SSN]."


def test_correlating_hashes_are_equal_for_equal_values_and_keyed(detector):
    first = redactor(detector, correlate=True)
    one, two = first.text(f"ssn {SSN}"), first.text(f"the ssn: {SSN} again")
    label = one.split()[1]
    assert label.startswith("[US_SSN:")
    assert label in two
    other = Redactor(detector, RedactionConfig(correlate=True), b"another key, another hash").text(
        f"ssn {SSN}"
    )
    assert label not in other
    encoded = first.run({SSN: "us_ssn"}).text(f"x {SSN[::-1]} x")
    assert label in encoded


class Broken:
    def __init__(self, error: BaseException | None = None, offsets: tuple[int, int] = (0, 1)) -> None:
        self.error, self.offsets = error, offsets

    def find(self, text, role):
        if self.error:
            raise self.error
        return (Finding("x", *self.offsets),)


@pytest.mark.parametrize(
    "detector_",
    [Broken(RuntimeError("secret inside")), Broken(TimeoutError()), Broken(offsets=(0, 999)), Broken(offsets=(-1, 3))],
)  # fmt: skip
def test_text_is_dropped_when_detection_breaks(detector_):
    broken = redactor(detector_)
    run = broken.run()
    value = run.value([{"role": "user", "content": "my ssn is here"}])
    assert value[0]["content"] == DROPPED
    assert run.dropped
    assert broken.failures == 1


def test_foreign_objects_cycles_and_depth_are_dropped_not_printed(detector):
    class Secretive:
        def __repr__(self):
            return f"ssn {SSN}"

    cycle: list = []
    cycle.append(cycle)
    value = redactor(detector).value({"obj": Secretive(), "cycle": cycle, "raw": b"abc"})
    assert value["obj"] == DROPPED
    assert value["raw"] == "[DATA:bytes,3]"
    assert DROPPED in dump(value["cycle"])


def test_data_urls_and_base64_bodies_become_their_size(detector):
    payload = base64.b64encode(f"my ssn is {SSN}".encode() * 20).decode()
    value = redactor(detector).value(
        {
            "image_url": {"url": f"data:image/png;base64,{payload}"},
            "prose": f"see data:text/plain,ssn%20{SSN} ok",
            "file_data": payload,
        }
    )
    assert value["image_url"]["url"] == f"[DATA:image/png,{len(payload) * 3 // 4}]"
    assert payload[:40] not in dump(value)
    assert SSN not in dump(value)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: f"data:application/pdf;base64, {data}",
        lambda data: f"data:application/pdf;base64,{data[:50]} {data[50:]}",
        lambda data: f" {data[:700]} {data[700:]}",
        lambda data: json.dumps({"name": "a.pdf", "content": data}),
        lambda data: "result: " + json.dumps({"content": "\n".join(data[i : i + 60] for i in range(0, len(data), 60))}),
        lambda data: f"see ![](data:application/pdf;base64,{data}) there",
    ],
    ids=["blank before", "blank within", "bare", "tool's JSON", "lines in a tool's JSON", "markdown"],
)  # fmt: skip
def test_a_document_is_recorded_by_its_size_however_it_is_wrapped(detector, wrap):
    data = base64.b64encode(b"%PDF-1.7\n" + random.Random(3).randbytes(3_000)).decode()
    written = dump(redactor(detector).value([{"role": "tool", "content": wrap(data)}]))
    assert "[DATA:" in written
    assert data[60:100] not in written
    assert data[-40:-5] not in written
    assert len(written) < 400


def test_prose_is_not_taken_for_a_document(detector):
    prose = "word " * 300 + "averyveryverylongword " * 40
    assert redactor(detector).text(prose) == prose


def test_a_long_text_is_cut_after_redaction_not_before(detector):
    run = redactor(detector, max_chars=200).run()
    text = "a" * 185 + f" ssn {SSN} " + "tail " * 100
    redacted = run.text(text)
    assert "536-22" not in redacted
    assert redacted.endswith("]")
    assert "[TRUNCATED:" in redacted
    assert len(redacted) < 240
    assert run.truncated


def test_mode_full_keeps_shape_and_size_only(detector):
    value = redactor(detector, mode="full").value([{"role": "user", "content": "nothing secret"}])
    assert value == [{"role": "user", "content": "[TEXT:14]"}]


def test_mode_none_needs_a_second_word(detector):
    with pytest.raises(ValidationError, match="confirm_none"):
        RedactionConfig(mode="none")
    with pytest.raises(ConfigError, match="confirm_none"):
        Redactor(detector, RedactionConfig.model_construct(mode="none", confirm_none=False), KEY)
    assert redactor(detector, mode="none", confirm_none=True).text(f"ssn {SSN}", known=[SSN]) == f"ssn {SSN}"


def test_the_values_of_a_requests_findings_can_be_collected():
    segments = [Segment("hello"), Segment(f"pw {PASSWORD}")]
    findings = [Finding("password", 3, 3 + len(PASSWORD), segment=1), Finding("x", 0, 2, "ignore", 0)]
    assert values_of(segments, findings) == {PASSWORD: "password"}
    assert KnownValues([PASSWORD]).spans("nothing here") == []


def test_a_draft_becomes_a_record_without_the_secret_anywhere(detector):
    text = f"my password is {PASSWORD}"
    verdict = Verdict(privacy=PrivacyResult((Finding("password", 15, 15 + len(PASSWORD)),)))
    draft = RecordDraft(
        id="r1",
        start=1000.0,
        end=1002.5,
        endpoint=f"/v1/chat/completions?key={PASSWORD}",
        requested=f"gpt-{PASSWORD}",
        verdict=verdict,
        decision=Decision(route="llama-fast", reason="privacy:password", local_only=True),
        known={PASSWORD: "password"},
        error_text=f"upstream said: bad prompt {PASSWORD!r}",
        user=f"bob {PASSWORD}",
        session=PASSWORD,
        user_agent=f"OpenAI/Python 1.2 {PASSWORD}",
        input=[{"role": "user", "content": text}],
        output=[{"role": "assistant", "content": f"You said {PASSWORD[::-1]}"}],
    )
    for user in ("hash", "plain"):
        record = draft.build(redactor(detector), user=user)
        written = dump(record.to_dict())
        assert PASSWORD not in written
        assert PASSWORD[::-1] not in written
    assert record.total_ms == 2500
    assert record.client == "openai-python"
    assert record.privacy_counts == {"password": 1}
    assert record.endpoint == "/v1/chat/completions"
    assert Record.from_dict(json.loads(dump(record.to_dict()))) == record


def test_users_are_hashed_unless_the_policy_says_plain(detector):
    draft = RecordDraft(id="r", user="workstation-7", session="s")
    hashed = draft.build(redactor(detector))
    assert len(hashed.user) == 16
    assert hashed.user != draft.build(Redactor(detector, RedactionConfig(), b"another key of 16")).user
    assert draft.build(redactor(detector), user="plain").user == "workstation-7"


def test_a_record_ignores_unknown_fields_and_refuses_wrong_ones():
    data = Record(id="a", start=1.0, end=2.0).to_dict()
    assert Record.from_dict({**data, "prompt": "raw"}) == Record(id="a", start=1.0, end=2.0)
    with pytest.raises(ValueError, match="not a record"):
        Record.from_dict({**data, "status": "ok"})
    with pytest.raises(ValueError, match="not a record"):
        Record.from_dict({"id": "a"})

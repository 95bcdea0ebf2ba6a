"""Where text lives in every endpoint's body, what a body needs of a model, and what a client may not send."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aicc_hooks.errors import Refusal
from aicc_hooks.payload import Extract, extract, strip_body
from aicc_hooks.payload.validate import check_body
from aicc_hooks.verdict import Role

CANARY = 'the code is "zx-41 kq"\nthat'


def b64(text: str | bytes, *, urlsafe: bool = False) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return (base64.urlsafe_b64encode(raw) if urlsafe else base64.b64encode(raw)).decode()


PDF = b64(b"%PDF-1.7\n" + bytes(range(200, 256)) * 4)
PNG = b64(b"\x89PNG\r\n\x1a\n" + bytes(40))
WAV = b64(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40))


def user(*parts: Any) -> dict[str, Any]:
    """A chat body of one user message with these content parts."""
    return {"model": "auto", "messages": [{"role": "user", "content": list(parts)}]}


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": "hi"}], **fields}


def roles_of(found: Extract, text: str = CANARY) -> list[Role]:
    return [s.role for s in found.segments if text in s.text]


TOOL = {
    "type": "function",
    "function": {"name": "f", "description": CANARY, "parameters": {"type": "object"}},
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "s", "schema": {"type": "object", "description": CANARY}},
}

# endpoint, body with the canary, role it must have, what it is
PLACES: list[tuple[str, dict[str, Any], Role]] = [
    ("chat", {"messages": [{"role": "user", "content": CANARY}]}, Role.USER),
    ("chat", {"messages": [{"role": "system", "content": CANARY}]}, Role.SYSTEM),
    ("chat", {"messages": [{"role": "developer", "content": CANARY}]}, Role.SYSTEM),
    ("chat", {"messages": [{"role": "assistant", "content": CANARY}]}, Role.ASSISTANT),
    ("chat", {"messages": [{"role": "tool", "tool_call_id": "x", "content": CANARY}]}, Role.TOOL),
    ("chat", {"messages": [{"role": "function", "name": "f", "content": CANARY}]}, Role.TOOL),
    ("chat", {"messages": [{"role": "wizard", "content": CANARY}]}, Role.USER),
    ("chat", {"messages": [{"role": CANARY, "content": "x"}]}, Role.META),
    ("chat", {"messages": [{"role": "user", "name": CANARY, "content": "x"}]}, Role.META),
    ("chat", {"messages": [{"role": "assistant", "refusal": CANARY, "content": None}]}, Role.ASSISTANT),
    ("chat", {"messages": [{"role": "assistant", "reasoning_content": CANARY}]}, Role.META),
    ("chat", {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": CANARY}}]}]}, Role.SCHEMA),
    ("chat", {"messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": CANARY}}]}, Role.SCHEMA),
    ("chat", {"messages": [{"role": "user", "content": [CANARY]}]}, Role.USER),
    ("chat", {"messages": [{"role": "user", "content": {"type": "text", "text": CANARY}}]}, Role.USER),
    ("chat", user({"type": "text", "text": CANARY}), Role.USER),
    ("chat", user({"type": "text", "text": [{"type": "text", "text": CANARY}]}), Role.USER),
    ("chat", user({"type": CANARY, "text": "x"}), Role.META),
    ("chat", user({"type": {"deep": CANARY}, "text": "x"}), Role.META),
    ("chat", user({"type": "text", "text": "x", "seed": CANARY}), Role.META),
    ("chat", user({"type": "text", "text": "x", "seed": {"deep": [CANARY]}}), Role.META),
    ("chat", user({"type": "text", "text": "x", CANARY: True}), Role.META),
    ("chat", user({"type": "image_url", "image_url": {"url": "https://x/?token=" + CANARY}}), Role.META),
    ("chat", user({"type": "image_url", "image_url": "https://x/?token=" + CANARY}), Role.META),
    ("chat", user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": CANARY}}), Role.META),
    ("chat", user({"type": "image_url", "image_url": {"url": "data:text/plain;base64," + b64(CANARY)}}), Role.DOCUMENT),
    ("chat", user({"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64," + b64(CANARY)}}), Role.DOCUMENT),
    ("chat", user({"type": "image_url", "image_url": {"url": "data:image/png;base64," + CANARY}}), Role.DOCUMENT),
    ("chat", user({"type": "image_url", "image_url": {"url": f"data:image/png;note={CANARY};base64,AAAA"}}), Role.META),
    ("chat", user({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav", "transcript": CANARY}}), Role.META),
    ("chat", user({"type": "input_audio", "image_url": "https://x", "input_audio": {"data": CANARY}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": b64(CANARY), "filename": "a.txt"}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": b64(CANARY * 9, urlsafe=True)}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": CANARY}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "DATA:Text/Plain;Base64," + b64(CANARY)}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": " data:text/plain;base64," + b64(CANARY)}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/plain," + CANARY}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/plain,the%20code%20is%20%22zx-41%20kq%22%0Athat"}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/csv;charset=utf-16;base64," + b64(CANARY)}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/csv;charset=utf-16-le;base64," + b64(CANARY.encode("utf-16-le"))}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/plain;base64," + b64(CANARY.encode("utf-16"))}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "data:text/plain;base64," + b64(("é " + CANARY).encode("latin-1"))}}), Role.DOCUMENT),
    ("chat", user({"type": "file", "file": {"file_data": "AAAA", "filename": CANARY}}), Role.META),
    ("chat", user({"type": "file", "file": {"file_id": "file-1", "note": CANARY}}), Role.META),
    ("chat", user({"type": "brand_new", "payload": {"deep": [{"er": CANARY}]}}), Role.META),
    ("chat", chat(tools=[TOOL]), Role.SCHEMA),
    ("chat", chat(functions=[TOOL["function"]]), Role.SCHEMA),
    ("chat", chat(response_format=SCHEMA), Role.SCHEMA),
    ("chat", chat(response_format=CANARY), Role.SCHEMA),
    ("chat", chat(format={"properties": {"a": {"description": CANARY}}}), Role.SCHEMA),
    ("chat", chat(user=CANARY), Role.META),
    ("chat", chat(metadata={"note": CANARY}), Role.META),
    ("chat", chat(stop=[CANARY]), Role.META),
    ("chat", chat(prediction={"type": "content", "content": CANARY}), Role.META),
    ("chat", chat(seed=CANARY), Role.META),
    ("chat", chat(reasoning_effort=CANARY), Role.META),
    ("chat", chat(stream_options={"include_usage": CANARY}), Role.META),
    ("chat", {**chat(), "model": CANARY}, Role.META),
    ("completions", {"prompt": CANARY}, Role.USER),
    ("completions", {"prompt": ["a", CANARY]}, Role.USER),
    ("completions", {"prompt": [["a", CANARY]]}, Role.USER),
    ("completions", {"prompt": "a", "suffix": CANARY}, Role.USER),
    ("embeddings", {"input": CANARY}, Role.DOCUMENT),
    ("embeddings", {"input": ["a", CANARY]}, Role.DOCUMENT),
    ("embeddings", {"input": [[1, 2, CANARY]]}, Role.DOCUMENT),
    ("rerank", {"query": CANARY, "documents": ["a"]}, Role.USER),
    ("rerank", {"query": "a", "documents": ["b", CANARY]}, Role.DOCUMENT),
    ("rerank", {"query": "a", "documents": [{"text": CANARY}]}, Role.DOCUMENT),
    ("rerank", {"query": "a", "documents": ["b"], "rank_fields": [CANARY]}, Role.META),
    ("responses", {"input": CANARY}, Role.USER),
    ("responses", {"instructions": CANARY, "input": "x"}, Role.SYSTEM),
    ("responses", {"input": [{"role": "user", "content": CANARY}]}, Role.USER),
    ("responses", {"input": [{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": CANARY}]}]}, Role.SYSTEM),
    ("responses", {"input": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": CANARY}]}]}, Role.ASSISTANT),
    ("responses", {"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": CANARY}]}, Role.SCHEMA),
    ("responses", {"input": [{"type": "function_call_output", "call_id": "1", "output": CANARY}]}, Role.TOOL),
    ("responses", {"input": [{"type": "function_call_output", "output": [{"type": "input_text", "text": CANARY}]}]}, Role.TOOL),
    ("responses", {"input": [{"type": "mcp_call", "name": "f", "arguments": "{}", "output": CANARY}]}, Role.TOOL),
    ("responses", {"input": [{"type": "file_search_call", "results": [{"text": CANARY}]}]}, Role.TOOL),
    ("responses", {"input": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": CANARY}]}]}, Role.ASSISTANT),
    ("responses", {"input": [{"type": "reasoning", "content": [{"type": "reasoning_text", "text": CANARY}]}]}, Role.ASSISTANT),
    ("responses", {"input": [{"type": "input_file", "file_data": "data:text/plain;base64," + b64(CANARY)}]}, Role.DOCUMENT),
    ("responses", {"input": [{"type": "input_file", "file_url": "https://x/" + CANARY}]}, Role.META),
    ("responses", {"input": "x", "tools": [{"type": "function", "name": "f", "description": CANARY}]}, Role.SCHEMA),
    ("responses", {"input": "x", "tools": [{"type": "mcp", "server_url": "https://x", "headers": {"Authorization": CANARY}}]}, Role.SCHEMA),
    ("responses", {"input": "x", "text": {"format": SCHEMA}}, Role.SCHEMA),
    ("responses", {"input": "x", "prompt": {"id": "p", "variables": {"who": CANARY}}}, Role.META),
    ("messages", {"system": CANARY, "messages": []}, Role.SYSTEM),
    ("messages", {"system": [{"type": "text", "text": CANARY, "cache_control": {"type": "ephemeral"}}], "messages": []}, Role.SYSTEM),
    ("messages", user({"type": "text", "text": CANARY}), Role.USER),
    ("messages", user({"type": "tool_result", "tool_use_id": "1", "content": CANARY}), Role.TOOL),
    ("messages", user({"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": CANARY}]}), Role.TOOL),
    ("messages", user({"type": "web_search_tool_result", "content": [{"type": "web_search_result", "title": CANARY}]}), Role.TOOL),
    ("messages", {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {"a": CANARY}}]}]}, Role.SCHEMA),
    ("messages", {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": CANARY, "signature": "s"}]}]}, Role.ASSISTANT),
    ("messages", user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": CANARY}}), Role.DOCUMENT),
    ("messages", user({"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": b64(CANARY)}}), Role.DOCUMENT),
    ("messages", user({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": CANARY}]}}), Role.DOCUMENT),
    ("messages", user({"type": "document", "source": {"type": "content", "content": CANARY}}), Role.DOCUMENT),
    ("messages", user({"type": "document", "source": {"type": "url", "url": "https://x/" + CANARY}}), Role.META),
    ("messages", user({"type": "document", "title": CANARY, "source": {"type": "file", "file_id": "1"}}), Role.DOCUMENT),
    ("messages", user({"type": "document", "context": CANARY, "source": {"type": "file", "file_id": "1"}}), Role.DOCUMENT),
    ("messages", user({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA", "note": CANARY}}), Role.META),
    ("messages", user({"type": "search_result", "source": "https://x", "title": "t", "content": [{"type": "text", "text": CANARY}]}), Role.TOOL),
    ("messages", {"messages": [], "tools": [{"name": "f", "description": CANARY, "input_schema": {"type": "object"}}]}, Role.SCHEMA),
    ("messages", {"messages": [], "mcp_servers": [{"url": "https://x", "authorization_token": CANARY}]}, Role.META),
    ("other", {"input": CANARY, "anything": 1}, Role.USER),
    ("other", {"input": {"deep": CANARY}}, Role.META),
    ("other", {"invented": [{"text": CANARY}]}, Role.USER),
]  # fmt: skip


@pytest.mark.parametrize(("endpoint", "body", "role"), PLACES, ids=[f"{n}-{p[0]}-{p[2]}" for n, p in enumerate(PLACES)])  # fmt: skip
def test_every_place_of_text_is_found_with_its_role(endpoint: str, body: dict[str, Any], role: Role) -> None:
    before = json.dumps(body)
    found = extract(endpoint, body)
    assert role in roles_of(found), [(s.path, s.role, s.text) for s in found.segments]
    assert json.dumps(body) == before, "the body a model is given must not change"


@pytest.mark.parametrize(
    ("part", "opaque"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"image"}),
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, {"image"}),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, {"audio"}),
        ({"type": "image_url", "image_url": {"url": "data:application/pdf;base64,AAAA"}}, {"file"}),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64," + b64("%PDF-1")}}, {"file"}),
        ({"type": "file", "file": {"file_data": b64(b"%PDF-1\x00\xff")}}, {"file"}),
        ({"type": "file", "file": {"file_id": "file-1"}}, {"file"}),
        ({"type": "file", "file": {"file_url": "https://x"}}, {"file"}),
        ({"type": "input_file", "file_id": "file-1"}, {"file"}),
        ({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}, {"file"}),
        # Text in UTF-16 that does not say so reads as NULs: nobody here can judge it.
        ({"type": "file", "file": {"file_data": "data:text/plain;base64," + b64("a card".encode("utf-16-le"))}}, {"file"}),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}, {"file"}),
        ({"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}}, {"file"}),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}, {"image"}),
        # The second attachment of a part counts as much as the first.
        ({"type": "input_audio", "image_url": "https://x", "input_audio": {"data": "AAAA"}}, {"image", "audio"}),
        ({"type": "text", "text": "x", "image_url": "https://x", "file": {"file_id": "1"}}, {"image", "file"}),
        # Decoders pass over white space and over what is not base64.
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64, " + PDF}}, {"file"}),
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF[:9]} {PDF[9:]}"}}, {"file"}),
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF[:9]}%20{PDF[9:]}"}}, {"file"}),
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF[:9]}\u200b{PDF[9:]}"}}, {"file"}),
        ({"type": "file", "file": {"file_data": f"{PDF[:9]}\t{PDF[9:]}"}}, {"file"}),
        ({"type": "file", "file": {"file_data": f"{PDF[:9]}!{PDF[9:]}"}}, {"file"}),
        ({"type": "file", "file": {"file_data": "data:application/pdf,%25PDF-1.7"}}, {"file"}),
        ({"type": "input_file", "file_data": "data:application/pdf;base64, " + PDF}, {"file"}),
        ({"type": "input_audio", "input_audio": {"data": WAV[:7] + " " + WAV[7:], "format": "wav"}}, {"audio"}),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF[:5] + " " + PDF[5:]}}, {"file"}),
        # A label says nothing about the bytes.
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PDF}}, {"image", "file"}),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PDF}}, {"image", "file"}),
        ({"type": "input_image", "image_url": "data:image/jpeg;base64," + WAV}, {"image", "audio"}),
        ({"type": "file", "file": {"file_data": "data:text/plain;base64," + PDF}}, {"file"}),
        # MCP's parts, and what the provider drew.
        ({"type": "image", "data": PNG, "mimeType": "image/png"}, {"image"}),
        ({"type": "image", "data": PDF, "mimeType": "image/png"}, {"image", "file"}),
        ({"type": "audio", "data": WAV, "mimeType": "audio/wav"}, {"audio"}),
        ({"type": "resource", "resource": {"uri": "file:///a.pdf", "mimeType": "application/pdf", "blob": PDF}}, {"file"}),
        ({"type": "image_generation_call", "id": "i", "result": PNG}, {"image"}),
        ({"type": "text", "text": "x"}, set()),
        ({"type": "file", "file": {"file_data": b64("plain text")}}, set()),
        ({"type": "file", "file": {"file_data": b64("BMW cars, BZh and ID3 tags: a text")}}, set()),
        ({"type": "resource", "resource": {"uri": "file:///a.txt", "mimeType": "text/plain", "text": "x"}}, set()),
        ({"type": "resource", "resource": {"uri": "file:///a.txt", "mimeType": "text/plain", "blob": b64("a text")}}, set()),
    ],
)  # fmt: skip
def test_what_nobody_here_can_read_is_named(part: dict[str, Any], opaque: set[str]) -> None:
    found = extract("chat", user(part))
    assert found.opaque == opaque
    assert found.needs.vision == ("image" in opaque)
    assert found.needs.audio == ("audio" in opaque)


DOCUMENTS = {"pdf": b"%PDF-1.7\n", "docx": b"PK\x03\x04\x14\x00", "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "gz": b"\x1f\x8b\x08\x00"}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: json.dumps({"name": "a", "content": data}),
        lambda data: json.dumps({"text": json.dumps({"content": data})}),
        lambda data: json.dumps({"content": "\n".join(data[i : i + 60] for i in range(0, len(data), 60))}),
        lambda data: f"see ![](data:application/pdf;base64,{data}) there",
        lambda data: f"see data:application/octet-stream;name=a;base64,{data}",
    ],
    ids=["json", "json in json", "lines", "markdown", "data url"],
)
def test_a_document_within_a_text_cannot_be_read(name: str, wrap: Any) -> None:
    """Tools return files as base64 in their JSON."""
    text = wrap(b64(DOCUMENTS[name] + os.urandom(900)))
    for body in (
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": text}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": text}]}]},
        {"messages": [{"role": "user", "content": "x", "invented": text}]},
    ):
        assert extract("chat", body).opaque == {"file"}
    assert extract("responses", {"input": [{"type": "function_call_output", "output": text}]}).opaque == {
        "file"
    }


def test_a_file_among_the_variables_of_a_prompt_cannot_be_read() -> None:
    file = {"type": "input_file", "file_data": "data:application/pdf;base64," + PDF}
    found = extract(
        "responses", {"input": "x", "prompt": {"id": "p", "variables": {"doc": file, "who": CANARY}}}
    )
    assert found.opaque == {"file"}
    assert roles_of(found) == [Role.META]


@pytest.mark.parametrize(
    "text",
    [
        "How do I send data:application/pdf;base64,JVBERi0xLjcK to an API?",
        "The first bytes are JVBERi0 for a PDF and UEsDB for a ZIP file, " + "which everybody knows " * 20,
        "@font-face { src: url(data:font/woff2;base64," + "d09GMgABAAAAA" * 40 + ") }",
        "@font-face { src: url(data:application/octet-stream;base64," + b64(b"wOFF" + bytes(300)) + ") }",
        "//# sourceMappingURL=data:application/json;base64," + b64("{'sources': ['a.ts', 'b.ts']}" * 20),
        "hash " + "0123456789abcdef" * 80,
    ],
)
def test_a_text_that_only_speaks_of_files_can_be_read(text: str) -> None:
    assert extract("chat", user({"type": "text", "text": text})).opaque == set()


def test_text_in_a_file_is_read_whatever_stands_between_its_characters() -> None:
    data = b64(CANARY * 3)
    for payload in (
        f" {data}",
        f"{data[:10]} {data[10:]}",
        f"{data[:10]}\u200b{data[10:]}",
        f"{data[:8]}%20{data[8:]}",
    ):
        found = extract(
            "chat", user({"type": "file", "file": {"file_data": "data:text/plain;base64," + payload}})
        )
        assert any(CANARY in s.text for s in found.segments), payload
    labelled = user({"type": "image_url", "image_url": {"url": "data:image/png;base64," + data}})
    assert any(CANARY in s.text for s in extract("chat", labelled).segments)


def test_token_ids_cannot_be_read() -> None:
    for body in ({"input": [1, 2, 3]}, {"input": [[1, 2], [3]]}):
        assert extract("embeddings", body).opaque == {"tokens"}
    assert extract("completions", {"prompt": [[1], "x"]}).opaque == {"tokens"}
    assert extract("embeddings", {"input": ["a"]}).opaque == set()


@pytest.mark.parametrize(
    ("endpoint", "body", "needs"),
    [
        ("chat", chat(tools=[TOOL]), {"tools"}),
        ("chat", chat(functions=[TOOL["function"]]), {"tools"}),
        ("chat", chat(tools=[TOOL], tool_choice="none"), set()),
        ("chat", chat(functions=[TOOL["function"]], function_call="none"), set()),
        ("chat", chat(tools=[]), set()),
        ("chat", chat(response_format={"type": "json_object"}), {"schema"}),
        ("chat", chat(response_format=SCHEMA), {"schema"}),
        ("chat", chat(response_format={"type": "text"}), set()),
        ("responses", {"input": "x", "text": {"format": SCHEMA}}, {"schema"}),
        ("responses", {"input": "x", "text": {"format": {"type": "text"}}}, set()),
        ("responses", {"input": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}, {"vision"}),
        ("responses", {"input": [{"type": "computer_call_output", "output": {"image_url": "https://x"}}]}, {"vision"}),
        ("messages", user({"type": "tool_result", "content": [{"type": "image", "source": {"type": "url", "url": "x"}}]}), {"vision"}),
    ],
)  # fmt: skip
def test_hard_constraints(endpoint: str, body: dict[str, Any], needs: set[str]) -> None:
    found = extract(endpoint, body).needs
    assert needs == {
        n for n, w in (("tools", found.tools), ("vision", found.vision), ("schema", found.json_schema)) if w
    }
    assert found.mode == "chat"


def test_room_for_the_answer_and_for_images_counts() -> None:
    assert extract("chat", chat()).needs.reply == 0
    assert extract("chat", chat(max_tokens=100)).needs.reply == 100
    assert extract("chat", chat(max_completion_tokens=10**9)).needs.reply == 10**9
    assert extract("responses", {"input": "x", "max_output_tokens": 7}).needs.reply == 7
    assert extract("chat", chat(max_tokens=-1)).needs.reply == 0
    image = user({"type": "image_url", "image_url": "data:image/png;base64," + "A" * 40_000})
    assert 500 < extract("chat", image).needs.tokens < 2000
    assert extract("embeddings", {"input": "x"}).needs.mode == "embedding"
    assert extract("rerank", {"query": "x", "documents": []}).needs.mode == "rerank"


def test_words_of_the_api_are_no_segments() -> None:
    body = chat(stream=True, temperature=0.1, top_p=1, seed=7, n=1, max_tokens=9, reasoning_effort="low",
                stream_options={"include_usage": True}, service_tier="auto", store=False)  # fmt: skip
    assert [s.text for s in extract("chat", body).segments] == ["hi"]


def test_a_card_sent_as_a_number_is_seen() -> None:
    assert roles_of(extract("chat", chat(account=4111111111111111)), "4111111111111111") == [Role.META]


# --- nothing is lost --------------------------------------------------------------------------

KEYS = st.sampled_from([
    "text", "content", "name", "input", "output", "arguments", "file", "file_data", "source", "data", "image_url", "url", "input_audio",
    "title", "context", "results", "summary", "detail", "format", "seed", "stop", "metadata", "tools", "response_format", "user", "prompt",
    "query", "documents", "instructions", "system", "messages", "tool_calls", "function_call", "media_type", "filename", "anything", "A b",
])  # fmt: skip
KINDS = st.sampled_from([
    "text", "image_url", "input_text", "file", "input_file", "document", "image", "tool_result", "function_call", "function_call_output",
    "reasoning", "message", "search_result", "base64", "url", "content", "new_kind",
])  # fmt: skip
SPOT = "\x00spot"  # replaced by the canary after generation, so that shrinking stays simple
LEAVES = (
    st.sampled_from([SPOT, SPOT, "hello there", "", "https://example.com", "AAAA"])
    | st.booleans()
    | st.none()
    | st.integers(0, 9)
)


def nodes(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    typed = st.builds(
        lambda kind, rest: {"type": kind, **rest}, KINDS, st.dictionaries(KEYS, children, max_size=3)
    )
    said = st.builds(
        lambda role, rest: {"role": role, **rest},
        st.sampled_from(["user", "tool", "system"]),
        st.dictionaries(KEYS, children, max_size=3),
    )
    return st.lists(children, max_size=3) | typed | said | st.dictionaries(KEYS, children, max_size=3)


TREES = st.recursive(LEAVES, nodes, max_leaves=8)
BODIES = st.dictionaries(KEYS, TREES, max_size=4)
ENDPOINTS = st.sampled_from(["chat", "completions", "embeddings", "responses", "messages", "rerank", "other"])


def plant(value: Any, counter: list[int]) -> Any:
    if value == SPOT and isinstance(value, str):
        counter[0] += 1
        return f"{CANARY} {counter[0]}!"
    if isinstance(value, dict):
        return {key: plant(item, counter) for key, item in value.items()}
    if isinstance(value, list):
        return [plant(item, counter) for item in value]
    return value


@settings(max_examples=150, deadline=None)
@example("completions", {"prompt": {"file_data": [SPOT]}})
@example(
    "chat",
    {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": {SPOT: [SPOT]}}}]}]},
)
@given(ENDPOINTS, BODIES)
def test_no_text_of_a_body_is_lost(endpoint: str, tree: dict[str, Any]) -> None:
    counter = [0]
    body = plant(tree, counter)
    texts = [s.text for s in extract(endpoint, body).segments]
    for number in range(1, counter[0] + 1):
        assert any(f"{CANARY} {number}!" in text for text in texts), body


# --- shape checks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "body", "words"),
    [
        ("chat", {}, ["messages", "missing"]),
        ("chat", {"messages": "hi"}, ["messages", "a string", "an array"]),
        ("chat", {"messages": []}, ["messages", "empty"]),
        ("chat", {"messages": ["hi"]}, ["messages[0]", "a string"]),
        ("chat", {"messages": [{"content": "x"}]}, ["messages[0].role", "null"]),
        ("chat", chat(model=7), ["model", "a number"]),
        ("chat", chat(tools={}), ["tools", "an object"]),
        ("chat", chat(tools=[TOOL], functions=[TOOL]), ["functions"]),
        ("chat", chat(stream="yes"), ["stream", "a boolean"]),
        ("embeddings", {"input": {}}, ["input", "an object"]),
        ("rerank", {"query": "x"}, ["documents", "missing"]),
        ("responses", {"input": None}, ["input", "missing"]),
        ("messages", {"messages": [{"role": 1}]}, ["messages[0].role", "a number"]),
    ],
)
def test_a_wrong_shape_is_named(endpoint: str, body: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        check_body(endpoint, body)
    assert (caught.value.code, caught.value.status) == ("aicc_invalid_request", 400)
    for word in words:
        assert word in caught.value.message


def test_a_body_of_a_thousand_levels_is_refused_and_a_deep_schema_is_not() -> None:
    def nest(levels: int) -> dict[str, Any]:
        tree: Any = "x"
        for _ in range(levels):
            tree = [{"a": tree}]
        return chat(tools=[{"f": tree}])

    check_body("chat", nest(50))
    assert extract("chat", nest(60)).tools == 1
    with pytest.raises(Refusal, match="levels"):
        check_body("chat", nest(500))


# --- what may not steer -------------------------------------------------------------------------

STEERING = [
    "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "num_retries", "custom_llm_provider", "api_key", "api_base",
    "base_url", "mock_response", "mock_testing_fallbacks", "mock_timeout", "langfuse_host", "langfuse_public_key", "specific_deployment",
    "silent_model", "model_list", "user_config", "litellm_metadata", "guardrails", "tags", "extra_headers", "extra_body", "timeout", "ttl",
    "router_settings_override", "use_chat_completions_api", "cache_key", "no-log", "session_id", "trace_id", "deployment", "engine",
    "organization", "slack_webhook_url", "sagemaker_base_url", "deployment_url", "anthropic-workspace-id", "dd_agent_host", "rust",
    "_websearch_interception_converted_stream", "self", "text_completion", "input_cost_per_token", "API_BASE", "Fallbacks", "prompt_id",
    "vector_store_ids", "client_secret", "aws_role_name",
]  # fmt: skip
HARMLESS = [
    "model", "messages", "input", "prompt", "query", "documents", "instructions", "system", "tools", "tool_choice", "functions",
    "function_call", "response_format", "stream", "stop", "stop_sequences", "temperature", "top_p", "top_k", "min_p", "n", "seed", "user",
    "logit_bias", "logprobs", "top_logprobs", "max_tokens", "max_completion_tokens", "max_output_tokens", "parallel_tool_calls",
    "presence_penalty", "frequency_penalty", "repetition_penalty", "reasoning_effort", "reasoning", "thinking", "modalities", "audio",
    "prediction", "service_tier", "store", "verbosity", "web_search_options", "prompt_cache_key", "safety_identifier", "dimensions",
    "encoding_format", "suffix", "echo", "best_of", "previous_response_id", "include", "background", "truncation", "text", "top_n",
    "return_documents", "max_chunks_per_doc", "max_tokens_per_doc", "rank_fields", "container", "mcp_servers", "context_management", "betas",
    "num_ctx", "num_predict", "keep_alive", "think", "format", "options", "mirostat", "repeat_penalty", "cache", "conversation",
]  # fmt: skip


@pytest.mark.parametrize("name", STEERING)
def test_a_field_that_steers_the_proxy_is_removed_and_told(name: str) -> None:
    body = chat(**{name: "x"})
    assert strip_body(body) == [name]
    assert body == chat()


def test_fields_of_the_apis_pass() -> None:
    body: dict[str, Any] = {name: "x" for name in HARMLESS}
    body["stream_options"] = {"include_usage": True}
    before = dict(body)
    assert strip_body(body) == []
    assert body == before


def test_metadata_never_reaches_litellm_and_only_steering_keys_are_told() -> None:
    body = chat(metadata={"session_id": "s", "colour": "red", "tags": [1], "_x": 1, "user_api_key": "k"})
    assert strip_body(body) == ["metadata._x", "metadata.tags", "metadata.user_api_key"]
    assert body == chat()
    for odd in ("text", ["a"], None):
        body = chat(metadata=odd)
        strip_body(body)
        assert body == chat()


def test_names_of_removed_fields_are_safe_in_a_header() -> None:
    told = strip_body(chat(**{"mock_\r\nx-evil: 1": 1, "mock_é": 1, "mock_" + "a" * 200: 1}))
    assert all(name.isascii() and name.isprintable() and len(name) <= 60 and ":" not in name for name in told)
    assert strip_body(chat(stream_options="x")) == ["stream_options"]


_ASK_LITELLM = """
import inspect, json, litellm
from litellm.proxy.auth.auth_utils import _BANNED_REQUEST_BODY_PARAMS as banned
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import all_litellm_params
print(json.dumps(sorted({*banned, *all_litellm_params, *LiteLLM_Params.model_fields})))
"""


def test_the_list_covers_what_the_installed_litellm_obeys() -> None:
    """Fails when an upgrade of LiteLLM brings a parameter that a client could steer with."""
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}
    out = subprocess.run(
        [sys.executable, "-c", _ASK_LITELLM], env=env, capture_output=True, text=True, timeout=120, check=True
    )
    names = json.loads(out.stdout.splitlines()[-1])
    assert len(names) > 200
    body = dict.fromkeys(names, "x")
    strip_body(body)
    # `cache` is the client's cache control of the contract.
    assert sorted(body) == ["cache", "model"]

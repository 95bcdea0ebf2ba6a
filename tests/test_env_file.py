""".env is data: read as written, never executed, and no value of it in a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from aicc_hooks.errors import GatewayConfigError
from aicc_hooks.ops.env_file import open_to_others, read_env_file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A =  b  ", "b"),
        ("A=", ""),
        ("A='b c'", "b c"),
        ('A="b c" # note', "b c"),
        ("A='it # stays'", "it # stays"),
        ("A=b # note", "b"),
        ("A=b\t# note", "b"),
        ("A=b#c", "b#c"),
        ("A= # put your key here", ""),  # an empty value with a comment is no key
        ("A=#", ""),
        ("A=b=c==", "b=c=="),
        ("A=$(touch x)", "$(touch x)"),
        ("A=${HOME}/x", "${HOME}/x"),
        ("A=b\r", "b"),
        ("\ufeffA=b", "b"),
        ("A=1\nA=2", "2"),
        ("# A=1\n\n   # x\nA=2", "2"),
        ("A=b\x0cc", "b\x0cc"),
    ],
)
def test_lines(tmp_path: Path, line: str, value: str) -> None:
    path = tmp_path / ".env"
    path.write_bytes(line.encode() + b"\n")
    assert read_env_file(path) == {"A": value}


@pytest.mark.parametrize("line", ["hunter2", "1A=hunter2", "A-B=hunter2", "A='hunter2", 'A="hunter2', "A='hunter2'hunter2", "=hunter2"])  # fmt: skip
def test_a_wrong_line_is_named_without_its_content(tmp_path: Path, line: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"OK=1\n\n{line}\n")
    with pytest.raises(GatewayConfigError) as caught:
        read_env_file(path)
    assert "line 3" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_no_file_is_no_error_and_an_unreadable_one_is(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "gone") == {}
    (tmp_path / "bytes").write_bytes(b"A=\xff")
    for name in ("bytes", ""):
        with pytest.raises(GatewayConfigError, match="cannot be read"):
            read_env_file(tmp_path / name)


def test_a_file_others_can_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch()
    for mode, open_ in ((0o600, False), (0o640, True), (0o604, True), (0o400, False)):
        path.chmod(mode)
        assert open_to_others(path) is open_
    assert open_to_others(tmp_path / "gone") is False

"""Lines that are code, log, table, JSON or mail, and the runs they form."""

from __future__ import annotations

import re
from typing import Final

_MIN_RUN: Final[dict[str, int]] = {"code": 2, "log": 2, "table": 2, "mail": 2, "json": 1}

_SHAPES: Final = r"""
    (?P<json>\s*[\[{]\s*(?:"|\{|$)|\s*"[\w .$@/-]{1,80}"\s*:|\s*[\]}]+,?\s*$)
  | (?P<log>\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?\d\d:\d\d:\d\d[.,\d]*\]?\s|\w{3}\s+\d{1,2}\s\d\d:\d\d:\d\d\s
      |\[?(?:ERROR|WARN(?:ING)?|INFO|DEBUG|TRACE|FATAL)\b|\s+at\s[\w$.<>]+\(|Traceback\s\(most|\s+File\s"
      |\d{1,3}(?:\.\d{1,3}){3}\s-\s|Caused\sby:|npm\s(?:ERR|WARN))
  | (?P<mail>>|(?:From|To|Cc|Bcc|Subject|Sent|Date|Reply-To|Von|An|Betreff|Gesendet|De|Para|Asunto|Objet|À)\s?:\s\S
      |-{3,}\s?(?:Original|Forwarded|Ursprüng)|On\s.{5,80}\swrote:|Am\s.{5,80}\sschrieb)
  | (?P<table>\s*\|.*\|\s*$|{columns})
  | (?P<code>\s*(?:(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[:({]|import\s+[\w.{*"']+|from\s+[\w.]+\s+import\s
      |(?:export\s+|public\s+|private\s+|protected\s+|static\s+)+\w|(?:const|let|var|val|fn|func|function|auto)\s+[\w*{\[(]+
      |\#\s?include|\#!/|using\s+[\w.]+;|package\s+[\w.]+;?$|return\b.*[;)\w\]]$|(?:if|for|while|switch)\s?\(.*|else\s*[:{]|elif\b.*:$
      |(?:if|for|while|with|try|except|else)\b[^.?!]*:\s*$|</?[a-zA-Z][\w-]*[^<>]*>|<!--|//|/\*|\*/|@\w+|
      (?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|GROUP\sBY|ORDER\sBY|(?:LEFT|INNER)?\s?JOIN)\s[\w(*"`]
      |[}\])]+[;,)]*\s*$|\$\s\w|print\s*\(|assert\s\w|[\w.\[\]]+\s*(?:[-+*/|&:]?=|<-)\s*\S.*[;)\]}"'\w]$|[\w.]+\(.*\)\s*[;{]?$)
      |[ ]{4,}\S*[\w)\]]+\s?[=({.\[]|\t+\S*[\w)\]]+\s?[=({.\[])
    """
# Columns by commas, semicolons or tabs: only looked for where there are as many.
_COLUMNS: Final = (
    r"[^\s,;\t][^,;\t]{0,40}(?:(?:,[^\s,][^,]{0,40}){2,}|(?:;[^;]{0,40}){3,}|(?:\t[^\t]{0,60}){2,})$"
)
_LINE: Final = re.compile(_SHAPES.replace("{columns}", "(?!)"), re.VERBOSE)
_LINE_OF_COLUMNS: Final = re.compile(_SHAPES.replace("{columns}", _COLUMNS), re.VERBOSE)
_READ: Final = 400  # characters of a line
# What no alternative above can match: words and the marks of prose, not begun by a keyword. Trying them all is ten times as slow.
_KEYWORDS: Final = (
    "ERROR|WARN|WARNING|INFO|DEBUG|TRACE|FATAL|Traceback|npm|async|def|import|from|export|public|private|protected|static|const"
    "|let|var|val|fn|func|function|auto|package|return|assert|SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|GROUP|ORDER|LEFT|INNER"
    "|JOIN"
)
_PLAIN = re.compile(rf"(?!(?:{_KEYWORDS})\b)[^\W\d_](?:[^\W_]|[ .'’?!\"“”-]|,(?= |$))*+$")
# The same of a line of ASCII, without reading it: what is left of it without letters and marks, and how it begins.
_PROSE: Final = bytes(c for c in range(128) if chr(c).isalnum() or chr(c) in " .'?!\"-")
_BEGINS: Final = re.compile(rf"(?!(?:{_KEYWORDS})\b)[A-Za-z]")
# A question that runs into the first line of the code it is about.
_SENTENCE = re.compile(r"\w{2}[?.] [A-Za-z]|^\w+ \w+ \w+ \w+[^=;(){}]{0,120}: ")
_FENCE = re.compile(r"\s{0,8}(?:```|~~~)")


def line_kinds(lines: list[str]) -> list[str]:
    """Payload kind of each line: a kind of `AskSplit`, `fence`, `blank`, or "" for prose."""
    kinds: list[str] = []
    fenced = False
    begins = _BEGINS.match
    # One step for all lines; what is not ASCII stays, and such a line is read.
    left = "\n".join(lines).encode("utf-8", "surrogatepass").translate(None, _PROSE).split(b"\n")
    for line, odd in zip(lines, left, strict=True):
        if not odd.strip(b",") and begins(line) and (not odd or _spaced(line)):
            kinds.append("fence" if fenced else "")
            continue
        if ("```" in line or "~~~" in line) and _FENCE.match(line):
            kinds.append("fence")
            fenced = not fenced
            continue
        if fenced:
            kinds.append("fence")
        elif not line or line.isspace():
            kinds.append("blank")
        else:
            kinds.append(_kind(line))
    return kinds


def _kind(line: str) -> str:
    head = line[:_READ]
    # A short line of ASCII that is prose was seen above.
    if (not line.isascii() or len(line) > _READ) and _PLAIN.match(head):
        return ""
    columns = head.count(",") > 1 or head.count(";") > 2 or head.count("\t") > 1
    found = (_LINE_OF_COLUMNS if columns else _LINE).match(head)
    kind = found.lastgroup if found else "code" if _ends_statement(head) else None
    return kind if kind and not (len(line) > 80 and _SENTENCE.search(line)) else ""


def _ends_statement(head: str) -> bool:
    """True for what ends like a statement or opens a block, and is no page on one line."""
    body = head.rstrip()
    return len(body) > 1 and body[-1] in ";{" and len(body.lstrip()) <= 201


def _spaced(line: str) -> bool:
    """True when every comma is followed by a blank or the end."""
    return line.count(",") == line.count(", ") + line.endswith(",")


def runs(lines: list[str], kinds: list[str]) -> list[tuple[str, int, int]]:
    """Maximal runs of one payload kind ("" is prose). Blank and single odd lines inside a run belong to it."""
    found_runs: list[tuple[str, int, int]] = []
    index, count = 0, len(kinds)
    prose_from = 0
    while index < count:
        kind = kinds[index]
        if kind in ("", "blank"):
            index += 1
            continue
        if kind == "fence":
            end = index + 1
            while end < count and kinds[end] == "fence":
                end += 1
            last = end
            found = "code"
            long_enough = True
        else:
            votes: dict[str, int] = {}
            end, last, odd = index, index, 0
            while end < count and kinds[end] != "fence":
                at = kinds[end]
                if at == "":
                    odd += 1
                    # Comments and wrapped lines inside code are short or indented; a question is neither.
                    if (
                        odd > 2
                        or (len(lines[end]) > 60 and not lines[end][:1].isspace())
                        or lines[end].rstrip().endswith("?")
                    ):
                        break
                elif at != "blank":
                    votes[at] = votes.get(at, 0) + 1
                    last, odd = end + 1, 0
                end += 1
            last = max(last, index + 1)
            found = max(votes, key=lambda name: votes[name])
            total = sum(votes.values())
            long_enough = total >= _MIN_RUN[found] or (found == "json" and len(lines[index]) > 40)
        if long_enough:
            if prose_from < index:
                found_runs.append(("", prose_from, index))
            found_runs.append((found, index, last))
            prose_from = last
        index = max(last, index + 1)
    if prose_from < count:
        found_runs.append(("", prose_from, count))
    return found_runs

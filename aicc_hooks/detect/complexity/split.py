"""Tell what is asked from what is pasted: `split_ask(text) -> AskSplit`.

A request is often two things: a sentence of work and pages it is about. The tier and the semantic cache want the
first. Pasted parts are fenced or bare code, logs, tables, JSON, quoted mail, tagged documents and long declarative
prose next to a shorter question. Task statements stay in the ask however long: what "you" must do is the work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aicc_hooks.detect.complexity.blocks import line_kinds, runs
from aicc_hooks.detect.complexity.lexicon import word_set

# What lies between head and tail of a longer text is payload unread: questions stand first or last.
_HEAD: Final = 4_096
_TAIL: Final = 4_096
_ARTICLE_WORDS: Final = 40
_GAP: Final = " … "  # stands in the ask for a quotation cut out of it


@dataclass(frozen=True, slots=True)
class AskSplit:
    """`ask` is the request itself; `payload` what it is about; `payload_kind` the larger part of that.

    Kinds: "" (none), code, log, table, json, mail, article, quote.
    """

    ask: str
    payload: str = ""
    payload_kind: str = ""


_INLINE_FENCE = re.compile(r"```[^`]{20,}```")
# The opening mark is excluded inside too: else a run of openers is read to its end from each of them.
_QUOTED = re.compile(
    r'"[^"\n]{160,}"|“[^“”\n]{160,}”|«[^«»\n]{160,}»|„[^„“”\n]{160,}[“”]|「[^「」\n]{60,}」|"""(?:[^"]|"(?!"")){40,}"""'
)
_TAG = re.compile(r"<(document|documents|context|article|text|email|mail|data|source|content|passage|transcript|log|input|file|quote)\b[^<>\n]{0,80}>", re.I)  # fmt: skip
_MARKER = re.compile(
    r"(?:\[?(?:document|doc|source|passage|text|article|context|abstract|paragraph|email|transcript|dokument|texto|texte|"
    r"testo|текст|статья|本文|文章|文本|原文|본문|النص|पाठ)\s?\d{0,3}\]?\s?[:：]?|-{3,}|={3,}|\*{3,})\s*$",
    re.I,
)
_PREFIX = re.compile(r"[^\n:：]{3,160}[:：]\s+(?=\S)")
# Words of someone giving a task; an article has few of them.
_TASK = word_set(
    "you your you'll please implement write create generate compute determine prove calculate assume suppose output input "
    "task help want i'm i my me ihr ich mein usted quiero vous veux voglio preciso quero"
)
_MATHS = re.compile(r"\\[a-zA-Z]|\$[^$\s\d]|\^[\d{]|[=≤≥∑∫√]\s?-?[\w(]")


def split_ask(text: str) -> AskSplit:
    """Separate the ask from pasted payload. Pure, linear, reads at most 8 KB of `text`."""
    if len(text) > _HEAD + _TAIL:
        middle = text[_HEAD:-_TAIL]
        head, tail = text[:_HEAD], text[-_TAIL:]
        # Cut on line ends, so that a line torn in two is not taken for a sentence.
        cut = head.rfind("\n")
        if cut > _HEAD // 2:
            head, middle = head[:cut], head[cut:] + middle
        cut = tail.find("\n")
        if 0 <= cut < _TAIL // 2:
            middle, tail = middle + tail[: cut + 1], tail[cut + 1 :]
        split = _split(head + "\n\n" + tail)
        if not split.payload:
            return AskSplit(split.ask, middle, "article")
        return AskSplit(split.ask, split.payload + "\n" + middle, split.payload_kind)
    return _split(text)


def _split(text: str) -> AskSplit:
    if len(text) < 80 and "\n" not in text and "```" not in text:
        return AskSplit(text.strip())
    parts: list[tuple[str, str]] = []
    if "```" in text:
        text = _cut(_INLINE_FENCE, text, "code", parts, multiline=False)
    if "<" in text:
        text = _cut_tags(text, parts)
    if len(text) > 160 and (not text.isascii() or '"' in text):
        text = _cut(_QUOTED, text, "quote", parts)
    lines = text.split("\n")
    kinds = line_kinds(lines) if len(lines) > 1 else [""]
    prose: list[str] = []
    for kind, start, end in runs(lines, kinds):
        block = "\n".join(lines[start:end])
        if kind:
            parts.append((kind, block))
        else:
            prose.extend(_paragraphs(lines[start:end]))
    ask = _articles(prose, parts)
    if not ask.strip():
        # Nothing but payload: the person left the work unsaid, so all of it is the ask again.
        if sum(len(block) for _, block in parts) < 1_500 or not parts:
            return AskSplit("\n".join(block for _, block in parts).strip())
        ask = ""
    sizes: dict[str, int] = {}
    for kind, block in parts:
        sizes[kind] = sizes.get(kind, 0) + len(block)
    return AskSplit(
        ask.strip(),
        "\n".join(block for _, block in parts),
        max(sizes, key=lambda kind: sizes[kind]) if sizes else "",
    )


def _cut(
    pattern: re.Pattern[str], text: str, kind: str, parts: list[tuple[str, str]], *, multiline: bool = True
) -> str:
    def take(match: re.Match[str]) -> str:
        if not multiline and "\n" in match.group():
            return match.group()  # a real fence: lines decide
        parts.append((kind, match.group()))
        return _GAP

    return pattern.sub(take, text)


def _cut_tags(text: str, parts: list[tuple[str, str]]) -> str:
    out: list[str] = []
    at = 0
    lowered = text.lower()
    for tries, match in enumerate(_TAG.finditer(text)):
        if tries > 16:  # each look for a closing tag reads to the end
            break
        if match.start() < at:
            continue
        close = f"</{match.group(1).lower()}>"
        end = lowered.find(close, match.end())
        if end - match.end() < 80:
            continue
        parts.append(("article", text[match.end() : end]))
        out.append(text[at : match.start()])
        at = end + len(close)
    return "\n".join((*out, text[at:])) if at else text


def _paragraphs(lines: list[str]) -> list[str]:
    """Paragraphs by blank lines; a line long enough to be an article is a paragraph by itself."""
    out: list[str] = []
    current: list[str] = []
    for line in lines:
        if not line or line.isspace() or line.strip() == "…":
            if current:
                out.append("\n".join(current))
                current = []
        elif len(line) > 240:
            if current:
                out.append("\n".join(current))
                current = []
            out.append(line)
        else:
            current.append(line)
    if current:
        out.append("\n".join(current))
    return out


_WIDE = re.compile("[\u0e00-\u0eff\u3040-\u9fff]")


def words_in(text: str) -> int:
    """Words, with two characters of an unspaced script counted as one."""
    if text.isascii():
        return text.count(" ") + text.count("\n") + 1
    wide = len(_WIDE.findall(text))
    return text.count(" ") + text.count("\n") + 1 + wide // 2


def _is_article(paragraph: str, at_least: int = _ARTICLE_WORDS) -> bool:
    if len(paragraph) < 80:
        return False
    count = words_in(paragraph)
    last = paragraph.rstrip()[-1:]
    if count < at_least or last in "?？؟" or (last in ":：" and count < 1.5 * _ARTICLE_WORDS):
        return False
    sample = paragraph[:1500]
    maths = not sample.isascii() or any(map(sample.__contains__, "\\$^="))
    if maths and len(_MATHS.findall(sample)) > 2:
        return False
    return sum(map(_TASK.__contains__, sample.lower().split())) <= 0.025 * min(count, 250)


def _articles(prose: list[str], parts: list[tuple[str, str]]) -> str:
    if len(prose) < 2:
        return _after_colon(prose[0], parts) if prose else ""
    # What is left of a paragraph after its quotation was cut out is shorter, and still the article's.
    flags = [_is_article(paragraph, _ARTICLE_WORDS // (2 if _GAP in paragraph else 1)) for paragraph in prose]
    if all(flags):
        # A request as long as an article stands first or last.
        shorter = 0 if len(prose[0]) <= len(prose[-1]) else len(prose) - 1
        if words_in(prose[shorter]) > 60:
            return "\n\n".join(prose)
        flags[shorter] = False
    if sum(flags) > 1:
        # Among several paragraphs of an article a short or odd one belongs to it, unless it is first, last or asks.
        for index in range(1, len(prose) - 1):
            neighbours = flags[index - 1] and (flags[index + 1] or index == len(prose) - 2)
            flags[index] = flags[index] or (neighbours and prose[index].rstrip()[-1:] not in "?？؟")
    ask: list[str] = []
    for paragraph, article in zip(prose, flags, strict=True):
        if article:
            parts.append(("article", paragraph))
        elif not _MARKER.fullmatch(paragraph):
            ask.append(paragraph)
    return "\n\n".join(ask)


def _after_colon(paragraph: str, parts: list[tuple[str, str]]) -> str:
    """`Summarise this: <one long paragraph>`."""
    if len(paragraph) < 300:
        return paragraph
    match = _PREFIX.match(paragraph)
    if match and _is_article(paragraph[match.end() :]):
        parts.append(("article", paragraph[match.end() :]))
        return match.group().strip()
    return paragraph

"""Chat-like texts of any size for timing: prose, code, JSON, logs and other languages, none repeated within a text of 100 KB.

Built from the standard library's own documentation and sources and from seeded random records, so nothing is downloaded and the
same Python gives the same texts.
"""

from __future__ import annotations

import argparse
import email
import json
import random
import typing
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from pydoc_data import topics

SIZES = (200, 2_000, 6_000, 20_000, 100_000, 1_000_000)
_WORLD = (
    "Könnten Sie mir bitte erklären, warum die Lieferung aus Hamburg drei Tage später ankam als angekündigt?",
    "Der Vorstand hat am Dienstag beschlossen, den zweiten Vorschlag noch einmal prüfen zu lassen.",
    "Pourriez-vous résumer le procès-verbal ci-dessous et dresser la liste des tâches de chacun avant vendredi ?",
    "La bibliothèque municipale restera fermée pendant les travaux, mais les prêts peuvent être prolongés en ligne.",
    "¿Qué diferencia hay entre los dos contratos y cuál conviene más a una empresa pequeña?",
    "El tren de las ocho salió con retraso porque una tormenta había derribado varios árboles sobre la vía.",
    "Не могли бы вы перевести это письмо на английский и сделать его немного короче?",
    "Вчера комитет обсудил новые правила и решил отложить голосование до следующего месяца.",
    "请帮我总结下面这篇文章的主要观点,并列出三个可以讨论的问题。",
    "昨天的会议讨论了明年的预算,大家认为应该先完成现有的项目。",
    "この文章を読みやすく直して、最後に短い要約を付けてください。",
    "駅前の図書館は来月から改装のため休館しますが、本の返却は窓口でできます。",
    "هل يمكنك شرح الفرق بين الطريقتين بلغة بسيطة مع مثال من الحياة اليومية؟",
    "Podaj proszę trzy sposoby na skrócenie czasu dostawy i oceń koszt każdego z nich.",
    "Toplantı notlarını kısaca özetler misin, sonra da herkesin yapması gerekenleri yaz.",
    "कृपया इस लेख का सार सरल भाषा में लिखिए और दो उदाहरण भी दीजिए।",
)
_WORDS = (
    "harbour",
    "council",
    "invoice",
    "garden",
    "engine",
    "winter",
    "parcel",
    "teacher",
    "reply",
    "bridge",
    "market",
    "signal",
    "budget",
    "river",
)


@lru_cache(maxsize=1)
def _documentation() -> str:
    return "\n\n".join(topics.topics[name] for name in sorted(topics.topics))


@lru_cache(maxsize=1)
def _sources() -> str:
    homes = (Path(argparse.__file__).parent, Path(email.__file__).parent, Path(json.__file__).parent)
    files = sorted({file for home in homes for file in home.glob("*.py")} | {Path(typing.__file__)})
    return "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files[:120])


def _cut(source: str, size: int, rng: random.Random) -> str:
    at = rng.randrange(max(1, len(source) - size))
    return (source[at:] + source)[:size]


def prose(size: int, rng: random.Random) -> str:
    """A question above documentation."""
    return ("Could you explain what this means for a beginner?\n\n" + _cut(_documentation(), size, rng))[
        :size
    ]


def code(size: int, rng: random.Random) -> str:
    """A question above source code."""
    return ("Why does this raise a KeyError sometimes?\n\n" + _cut(_sources(), size, rng))[:size]


def records(size: int, rng: random.Random) -> str:
    """Indented JSON of orders."""
    parts: list[str] = []
    length = 0
    while length < size:
        item = {"id": rng.getrandbits(40), "title": " ".join(rng.choices(_WORDS, k=4)), "price": round(rng.uniform(1, 900), 2),
                "tags": rng.sample(_WORDS, 3), "active": rng.random() < 0.5, "digest": f"{rng.getrandbits(128):032x}",
                "updated": f"2026-0{rng.randint(1, 9)}-{rng.randint(10, 28)}T0{rng.randint(0, 9)}:15:00Z"}  # fmt: skip
        parts.append(json.dumps(item, indent=2) + ",\n")
        length += len(parts[-1])
    return ("Which of these orders are inactive?\n[" + "".join(parts))[:size]


def logs(size: int, rng: random.Random) -> str:
    """Lines of a server's log."""
    parts: list[str] = []
    length = 0
    while length < size:
        level = rng.choice(("INFO", "INFO", "DEBUG", "WARN", "ERROR"))
        parts.append(
            f"2026-03-{rng.randint(10, 28)}T1{rng.randint(0, 9)}:{rng.randint(10, 59)}:{rng.randint(10, 59)}.{rng.randint(100, 999)}Z {level} "
            f"worker-{rng.randint(1, 9)} request={rng.getrandbits(64):016x} path=/v1/{rng.choice(_WORDS)}/{rng.randint(1, 9999)} "
            f"status={rng.choice((200, 200, 404, 500))} took={rng.randint(1, 900)}ms {' '.join(rng.choices(_WORDS, k=5))}\n"
        )
        length += len(parts[-1])
    return ("What went wrong here?\n" + "".join(parts))[:size]


def world(size: int, rng: random.Random) -> str:
    """Sentences of twelve languages, each with words and figures of its own."""
    parts: list[str] = []
    length = 0
    while length < size:
        parts.append(
            f"{rng.choice(_WORLD)} {rng.choice(_WORDS)} {rng.randint(1, 400)}.{rng.choice((' ', chr(10)))}"
        )
        length += len(parts[-1])
    return "".join(parts)[:size]


KINDS: dict[str, Callable[[int, random.Random], str]] = {
    "prose": prose, "code": code, "json": records, "logs": logs, "other languages": world,
}  # fmt: skip


def texts(kind: str, size: int, count: int, seed: int = 1) -> list[str]:
    """`count` different texts of `size` characters."""
    rng = random.Random(f"{seed} {kind} {size}")
    return [KINDS[kind](size, rng) for _ in range(count)]

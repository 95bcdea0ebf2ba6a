"""The tier follows what is asked, not what is pasted around it, in any language, across turns."""

from __future__ import annotations

import pytest

from aicc_hooks.detect.complexity import ComplexityConfig, ComplexityDetector
from aicc_hooks.verdict import ComplexityResult, Role, Segment

CODE = "```python\n" + "def area(w, h):\n    total = w * h\n    return total\n\n" * 12 + "```"
ARTICLE = (
    "The mill stands on the eastern bank of the river, where a ford is recorded in the twelfth century. It was rebuilt in "
    "stone after a flood and passed through the hands of four families before the canal company bought it. During the "
    "following decades grain gave way to paper, and the upper floors were fitted with drying lofts. A fire destroyed the "
    "roof in 1871. The present machinery dates from the restoration, and visitors can follow the water from sluice to wheel."
)
LOG = "\n".join(f"2025-03-0{n} 10:0{n}:11 ERROR worker-{n} lost connection to broker" for n in range(1, 8))
TABLE = "\n".join(["name,team,score", *(f"p{n},t{n % 3},{n * 7}" for n in range(30))])
MAIL = "From: Lena <lena@example.org>\nTo: all@example.org\nSubject: Offsite\n\n> The bus leaves at nine.\n> Bring boots.\n> Lena"
LONG_SYSTEM = (
    "You are a principal engineer. Prove every claim, design for failure, weigh each tradeoff, derive the bounds, "
    "explain why, and optimise the algorithm. class Foo: def bar(): const x = function () {} "
) * 40


def judge(
    *turns: tuple[str, str], config: ComplexityConfig | None = None, tools: int = 0
) -> ComplexityResult:
    segments = [Segment(text, Role(role), turn) for turn, (role, text) in enumerate(turns)]
    return ComplexityDetector(config or ComplexityConfig()).inspect(segments, tools=tools)


SMALL_TALK = [
    "hi", "good morning!", "thanks a lot", "who are you?", "ok bye", "hola, ¿qué tal?", "bonjour", "你好", "こんにちは", "안녕하세요",
    "привет, как дела?", "merhaba", "ciao, come va?", "olá, tudo bem?", "hallo, wie geht es dir?", "مرحبا", "שלום", "नमस्ते", "xin chào",
    "dzień dobry", "hej, hur mår du?", "สวัสดีครับ", "halo, apa kabar?", "ahoj", "Γεια σου",
]  # fmt: skip
LOOK_UPS = [
    "what is the capital of Portugal?", "how many grams are in an ounce", "translate 'good night' to Polish", "spell necessary", "what's 18% of 250",
    "¿Cuál es la capital de Perú?", "Quelle heure est-il à Tokyo ?", "Wie heißt die Hauptstadt von Finnland?", "日本の首都はどこですか", "法国的首都是哪里？",
    "столица Италии?", "Qual é a capital do Chile?", "İtalya'nın başkenti neresi?", "Jaka jest stolica Czech?", "이탈리아의 수도는 어디인가요?",
]  # fmt: skip
HARD = [
    "Prove that the harmonic series diverges and bound its partial sums from both sides.",
    "Design a globally distributed inventory system with strong consistency for reservations; analyse partition behaviour and cost.",
    "Let $p$ be an odd prime. Determine all $n$ such that $n^{p}+1$ is divisible by $p^2$, with proof.",
    "Implement a B+ tree in Rust with concurrent readers, crash recovery and a test suite, then benchmark it against a hash index.",
    "Beweise den Satz von Bolzano-Weierstraß und erkläre, wo die Vollständigkeit eingeht.",
    "Diseña una arquitectura de datos para un hospital con cinco sedes y compara tres alternativas de replicación.",
    "Démontre que l'ensemble des réels n'est pas dénombrable et discute la portée de l'argument diagonal.",
    "Dimostra che ogni spazio metrico compatto è completo, giustificando ogni passaggio.",
    "Докажи теорему о промежуточном значении и построй контрпример без условия непрерывности.",
    "请设计一个支持百万并发的消息队列，分析其一致性与容错，并与两种替代方案比较。",
    "分散データベースの合意アルゴリズムを設計し、障害時の挙動を分析してください。",
    "분산 캐시 무효화 프로토콜을 설계하고 정확성을 증명한 뒤 대안과 비교해 주세요.",
    "Projete um sistema de votação eletrônica verificável e analise as ameaças e os compromissos.",
    "Zaprojektuj system rezerwacji odporny na awarie i porównaj trzy strategie spójności.",
    "أثبت مبرهنة فيرما الصغرى وبيّن تطبيقها في التشفير خطوة بخطوة.",
    "Dağıtık bir kilit hizmeti tasarla, doğruluğunu kanıtla ve alternatifleri karşılaştır.",
]  # fmt: skip


@pytest.mark.parametrize("text", [*SMALL_TALK, *LOOK_UPS])
def test_small_talk_and_look_ups_go_to_the_small_model(text: str) -> None:
    assert judge(("user", text)).tier == "simple"


@pytest.mark.parametrize("text", HARD)
def test_hard_work_never_goes_to_the_small_model(text: str) -> None:
    assert judge(("user", text)).tier != "simple"


def test_most_hard_work_goes_to_the_large_model() -> None:
    tiers = [judge(("user", text)).tier for text in HARD]
    assert tiers.count("complex") >= 0.8 * len(HARD), [
        t for t, tier in zip(HARD, tiers, strict=True) if tier != "complex"
    ]


@pytest.mark.parametrize(
    "payload", [CODE, ARTICLE, LOG, TABLE, MAIL], ids=["code", "article", "log", "table", "mail"]
)
@pytest.mark.parametrize("ask", ["What language is this written in?", "Is this in English? yes or no"])
def test_a_trivial_question_about_a_payload_stays_off_the_large_model(ask: str, payload: str) -> None:
    before, after = judge(("user", f"{ask}\n\n{payload}")), judge(("user", f"{payload}\n\n{ask}"))
    assert before.tier in ("simple", "medium")
    assert after.tier in ("simple", "medium")
    assert any(word.startswith("payload:") for word in before.why)


@pytest.mark.parametrize(
    "follow_up",
    ["yes, go on", "continue", "can you parallelise it?", "do it", "and the second part?", "now finish it", "why?", "weiter", "sigue por favor",
     "oui, continue", "продолжай", "继续", "続けて", "계속해 주세요", "devam et", "kannst du das parallelisieren?", "¿puedes hacerlo más rápido?", "أكمل"],
)  # fmt: skip
def test_a_short_follow_up_inherits_the_work(follow_up: str) -> None:
    first = "Prove that every bounded monotone sequence converges, then generalise to nets and give counterexamples."
    result = judge(("user", first), ("assistant", "Here is part one. Shall I go on?"), ("user", follow_up))
    assert result.tier == judge(("user", first)).tier == "complex"
    assert result.continuation
    assert "continuation" in result.why


@pytest.mark.parametrize(
    "follow_up",
    [
        "what is the safety argument again?",
        "make the liveness proof shorter",
        "which networks count as unreliable?",
    ],
)
def test_a_question_about_the_work_inherits_it(follow_up: str) -> None:
    work = "Design a consensus protocol for unreliable networks and prove its safety and liveness."
    assert judge(("user", work), ("assistant", "Here it is."), ("user", follow_up)).tier == "complex"


def test_a_follow_up_reaches_over_earlier_follow_ups() -> None:
    first = "Design a consensus protocol for unreliable networks and prove its safety and liveness."
    turns = [
        ("user", first),
        ("assistant", "a"),
        ("user", "go on"),
        ("assistant", "b"),
        ("user", "thanks"),
        ("assistant", "c"),
    ]
    assert judge(*turns, ("user", "and now the last part")).tier == "complex"


@pytest.mark.parametrize(
    "closing",
    ["thanks!", "great, thank you", "danke", "merci beaucoup", "谢谢", "ok bye", "perfect", "спасибо"],
)
def test_thanks_close_the_work(closing: str) -> None:
    hard = "Prove Gödel's first incompleteness theorem in detail and discuss its limits."
    result = judge(("user", hard), ("assistant", "Done."), ("user", closing))
    assert result.tier == "simple"
    assert not result.continuation


@pytest.mark.parametrize(
    "new",
    ["What is the capital of Norway?", "how many days are in a leap year?", "¿Cuál es la capital de Perú?"],
)
def test_a_new_question_after_hard_work_is_judged_alone(new: str) -> None:
    hard = "Design a consensus protocol for unreliable networks and prove its safety and liveness."
    assert judge(("user", hard), ("assistant", "Done."), ("user", new)).tier == "simple"


def test_hard_work_after_small_talk_is_hard() -> None:
    turns = [("user", "hi"), ("assistant", "Hello!"), ("user", "how are you"), ("assistant", "Fine.")]
    assert judge(*turns, ("user", HARD[1])).tier == "complex"


def test_going_on_with_small_talk_stays_small() -> None:
    assert (
        judge(("user", "tell me a joke"), ("assistant", "A horse walks in."), ("user", "another one")).tier
        == "simple"
    )


@pytest.mark.parametrize("text", ["hi", "what is the capital of Portugal?", "thanks"])
def test_a_long_system_prompt_and_tools_do_not_raise_the_tier(text: str) -> None:
    plain = judge(("user", text))
    assert plain.tier == "simple"
    assert judge(("system", LONG_SYSTEM), ("user", text), tools=40) == plain


def test_tool_results_and_answers_do_not_raise_the_tier() -> None:
    turns = [("user", "what's the weather in Oslo?"), ("assistant", LONG_SYSTEM), ("tool", LONG_SYSTEM)]
    assert judge(*turns).tier == "simple"


def test_text_outside_the_messages_is_the_users() -> None:
    detector = ComplexityDetector(ComplexityConfig())
    assert detector.inspect([Segment("hi", Role.USER)]).tier == "simple"
    assert detector.inspect([Segment(HARD[1], Role.USER, -1)]).tier == "complex"


@pytest.mark.parametrize("segments", [[], [Segment("", Role.USER, 0)]])
def test_nothing_asked_is_simple(segments: list[Segment]) -> None:
    assert ComplexityDetector(ComplexityConfig()).inspect(segments).tier == "simple"


def test_a_broken_model_answers_medium_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from aicc_hooks.detect.complexity import detector

    def broken() -> None:
        raise OSError("no file")

    monkeypatch.setattr(detector, "shipped", broken)
    result = judge(("user", "hi"))
    assert (result.tier, result.failed) == ("medium", True)


def test_score_rises_with_difficulty() -> None:
    scores = [judge(("user", text)).score for text in ("hi", "explain how vaccines work", HARD[1])]
    assert scores == sorted(scores)
    assert 0.0 <= scores[0] < 0.3
    assert 0.6 < scores[2] <= 1.0

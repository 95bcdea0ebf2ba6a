"""What the guard lets through and what it stops. Cases of our own; development data only measured, at the end."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import numpy as np
import pytest

from aicc_hooks.cache.calibrate import shipped_pairs
from aicc_hooks.cache.guard import judge
from aicc_hooks.cache.guard.stems import stem
from aicc_hooks.cache.match import match

SAME = [
    ("How do I rename a branch in git?", "git: rename a branch"),
    ("Could you please tell me the boiling point of ethanol?", "What is the boiling point of ethanol?"),
    ("Write a Go function that parses a date", "I need a Go function which parses a date"),
    ("Convert 12 miles to km", "How many kilometers are in 12 miles?"),
    ("What's the difference between lime and lemon?", "How do lemon and lime differ?"),
    ("Did Ann sell the boat?", "Was the boat sold by Ann?"),
    ("Give me 3 ideas for a garden", "Give me three ideas for a garden"),
    ("In 1950, what was the population of Oslo?", "What was the population of Oslo in 1950?"),
    ('Translate "good night" into Danish', 'What is "good night" in Danish?'),
    ("why is the sea salty", "What makes the sea salty?"),
    ("¿Dónde está el banco?", "¿dónde está el banco"),
    ("How often should I feed a puppy?", "How frequently should I feed a puppy?"),
    ("Does it need 16GB?", "Does it need 16 GB?"),
    ("Plan a four-day trip to Malta", "Can you plan a 4 day trip to Malta?"),
    ("What were the reasons for the fall of Carthage?", "What caused the fall of Carthage?"),
    ("What is the height of the tower in feet?", "How tall is the tower in feet?"),
    ("If it rains, where can I go?", "Where can I go if it rains?"),
    ("My tap drips, why?", "Why does my tap drip?"),
    ("Can I freeze cheese?", "Can cheese be frozen?"),
    ("How do I make my site faster?", "How do I speed up my site?"),
    ("Make this note shorter", "Shorten this note"),
    ("How do I turn off the alarm?", "How can I switch the alarm off?"),
    ("What does a notary do?", "What are the tasks of a notary?"),
    ("Is it OK to swim at night?", "Is swimming at night okay?"),
    ("Which nuts are high in iron?", "Which nuts are rich in iron?"),
    ("If I earn 30,000 euros, how much tax do I pay?", "How much tax do I pay if I earn 30000 euros?"),
    (
        "Tom eats 3 figs a day. How many in a week?",
        "Tom eats 3 figs a day. How many in a week? Please answer.",
    ),
    ("Quick question: is 51 prime?", "Hi there, is 51 prime? Thanks in advance!"),
    ("If I walk 5 km/h for 2 hours, how far do I get?", "How far do I get if I walk 5 km/h for 2 hours?"),
    ("I lost my card, how do I block it?", "How do I block it if I lost my card?"),
    ("How many days are left until Easter?", "How many days are there until Easter?"),
    ("Am I able to swap my seat?", "Is it possible to swap my seat?"),
    ("My order came twice. What should I do?", "My order came two times, what should I do?"),
    ("Solve 2y + 3 = 9 for y", "Solve 2y + 3 = 9 for y, please"),
    ("What is 6 times 9?", "Calculate 6 * 9"),
    ("How come owls hoot?", "Why do owls hoot?"),
    ("What does terse mean?", "What is the meaning of the word terse?"),
    ("Can Linux be run on a tablet?", "Can I run Linux on a tablet?"),
    ("How can a list be sorted by date?", "How do I sort a list by date?"),
    ("Show the five most recent invoices", "Show the 5 latest invoices"),
    ("Which papers do I need for a visa?", "Which papers are required for a visa?"),
    ("soup recipe with no salt", "soup recipe without salt"),
    ("Is it bad to skip lunch?", "Is skipping lunch bad?"),
    ("Tell me whether 51 is prime", "Is 51 prime?"),
    ("Which flats have not been sold yet?", "Which flats have not yet been sold?"),
    ("What should I bring to a picnic?", "What do I need to bring to a picnic?"),
    ("Should I sell my car?", "Is it a good idea to sell my car?"),
    ("Recommend a book on the history of Rome", "Recommend a book on Roman history"),
    ("How do I fold a fitted sheet?", "How do I fold a fited sheet?"),
    ("Find files larger than 2 GB", "find all files bigger than 2GB"),
    ("Translate the text below to Thai", "Translate the following text to Thai"),
    ("Kannst du mir sagen, wie ich ein Zelt aufbauen kann?", "Wie kann ich ein Zelt aufbauen?"),
    ("Schreibe eine Rede für meinen Bruder", "Könntest du bitte eine Rede für meinen Bruder schreiben?"),
    ("Gib mir drei Ideen für ein Geschenk", "Gib mir bitte 3 Ideen für ein Geschenk"),
    ("Comment puis-je nettoyer un four ?", "Peux-tu me dire comment nettoyer un four ?"),
    ("¿Cómo cambio una rueda?", "Quiero saber cómo cambiar una rueda"),
    ("Puoi dirmi come installare Node su Mac?", "Come installo Node su Mac?"),
    ("Jak mogę usunąć konto?", "Powiedz mi, jak usunąć konto"),
    ("Как мне открыть файл?", "Подскажите, пожалуйста, как открыть файл"),
    ("把这个文件翻译成法文", "你能把这个文件翻译成法文吗？"),
    ("富士山の高さを教えてください", "富士山の高さは何ですか？"),
]
DIFFERENT = [
    ("What is 17% of 300?", "What is 18% of 300?", "number"),
    ("Give me 2 cats and 3 dogs", "Give me 3 cats and 2 dogs", "number"),
    ("Take 5 mg at night", "Take 5 g at night", "unit"),
    ("Meet me at 10:30", "Meet me at 10:45", "number"),
    ("Where is order A-7731?", "Where is order A-7732?", "id"),
    ("What is the capital of Chile?", "What is the capital of Cuba?", "entity"),
    ("Is the shop open?", "Is the shop not open?", "negation"),
    ("Can I cook it with garlic?", "Can I cook it without garlic?", "negation"),
    ("How do I enable the firewall?", "How do I disable the firewall?", "antonym"),
    ("trains from Bern to Basel", "trains from Basel to Bern", "direction"),
    ("convert euros to yen", "convert yen to euros", "direction"),
    ("python: XML to a dict", "python: a dict to XML", "direction"),
    ("Should I wash before cutting?", "Should I wash after cutting?", "order"),
    ("Do I peel it before I boil it?", "Do I boil it before I peel it?", "order"),
    ("Is Go faster than Rust?", "Is Rust faster than Go?", "order"),
    ("Arsenal vs Chelsea score", "Chelsea vs Arsenal score", "order"),
    ("Did Ann see Bob?", "Did Bob see Ann?", "role"),
    ("Did Ann find the bag?", "Was Ann found by the bag?", "role"),
    ("Why do I trust you?", "Why do you trust me?", "role"),
    ("Are all swans white?", "Are some swans white?", "quantifier"),
    ("List the open tickets", "List only the open tickets", "quantifier"),
    ("Who is taller, Ann or Bob?", "Who is tallest, Ann or Bob?", "comparative"),
    ("Is it cold in Oslo?", "Was it cold in Oslo?", "tense"),
    ("Will it rain in Oslo?", "Did it rain in Oslo?", "tense"),
    ("Is Ann a nurse and a painter?", "Is Ann a nurse or a painter?", "and/or"),
    ("Should I call them?", "Can I call them?", "modality"),
    ("When was the bridge built?", "Why was the bridge built?", "question"),
    ("Where is Andorra?", "What is Andorra?", "question"),
    ("Explain this: for i in range(3): print(i)", "Explain this: for i in range(3): print(-i)", "code"),
    ("Is x <= 3 valid?", "Is x >= 3 valid?", "symbols"),
    ('What does "bonjour" mean?', 'What does "bonsoir" mean?', "quote"),
    ("Write a poem about rain", "Write a story about rain", "substitution"),
    ("Summarize the report", "Translate the report", "task"),
    ("Give me a recipe for soup", "Give me a recipe for vegan soup", "added"),
    ("check if a list is part of a tuple", "check if a list is part of a list", "repeated word"),
    ("Does tea need milk?", "Is tea needed?", "voice"),
    ("Как установить Python на Mac?", "Как удалить Python на Mac?", "language"),
    ("用 Python 打开文件", "用 Python 删除文件", "language"),
    ("किताब Python", "कीताब Python", "language"),
    ("Miete kündigen", "Mieter kündigen", "language"),
    ("Kann ich das Fenster öffnen?", "Kannst du das Fenster öffnen?", "language"),
    ("Wie schalte ich den Ton ein?", "Wie schalte ich den Ton aus?", "language"),
    ("Gib mir bitte zwei Ideen für ein Geschenk", "Gib mir drei Ideen für ein Geschenk", "language"),
    ("Dis-moi qui a tué César", "Dis-moi qui César a tué", "language"),
    ("¿Puedes traducir este texto del inglés?", "Traduce este texto al inglés", "language"),
    ("Por favor, hijo de Juan y Ana", "Por favor, hija de Juan y Ana", "language"),
    ("Подскажите, как включить звук", "Подскажите, как выключить звук", "language"),
    ("富士山はどこですか", "富士山は何ですか", "language"),
    ("Wo ist der Bahnhof in Köln und wann fährt der Zug?", "Wo ist der Flughafen in Köln und wann fährt der Zug?", "language"),
]  # fmt: skip


# Everyday requests, each changed as little as possible.
MINIMAL = [
    ("How do I add a user to a group?", "How do I add a group to a user?"),
    ("How do I move money from savings to checking?", "How do I move money from checking to savings?"),
    ("Explain how TCP works", "Explain why TCP works"),
    ("Is Pluto a planet?", "Was Pluto a planet?"),
    ("List employees hired after 2019", "List employees hired before 2019"),
    ("List employees hired since 2019", "List employees hired until 2019"),
    ("Which city is north of Rome?", "Which city is south of Rome?"),
    ("How do I open a file in read mode?", "How do I open a file in write mode?"),
    ("How do I log in to my account?", "How do I log out of my account?"),
    ("What is the price with tax?", "What is the price without tax?"),
    ("What should I say to my boss?", "What should my boss say to me?"),
    ("Who killed Hamlet?", "Who did Hamlet kill?"),
    ("Who does Mary love?", "Who loves Mary?"),
    ("What eats a snake?", "What does a snake eat?"),
    ("Can a cat kill a snake?", "Can a snake kill a cat?"),
    ("What is the parent company of YouTube?", "What is YouTube the parent company of?"),
    ("How do I make my text bold?", "How do I make my text italic?"),
    ("How do I turn up the volume?", "How do I turn down the volume?"),
    ("How do I zoom in?", "How do I zoom out?"),
    ("Show flights arriving at Boston", "Show flights departing from Boston"),
    ("Show flights to Boston", "Show flights from Boston"),
    ("Convert 5 feet to meters", "Convert 5 meters to feet"),
    ("How many grams in a pound?", "How many pounds in a gram?"),
    ("Can I drink coffee with antibiotics?", "Can I drink coffee after antibiotics?"),
    ("Translate this from English to German: cat", "Translate this from German to English: cat"),
    ("Translate to French: the dog is big", "Translate to French: the dog is small"),
    ("What's 5 plus 3?", "What's 5 minus 3?"),
    ("What is 7 - 2?", "What is 7 + 2?"),
    ("What is 2^10?", "What is 10^2?"),
    ("What is 12/4?", "What is 4/12?"),
    ("How do I sort ascending in SQL?", "How do I sort descending in SQL?"),
    ("Python 2 print", "Python 3 print"),
    ("What is new in Java 17?", "What is new in Java 21?"),
    ("Write a function that returns true if n is even", "Write a function that returns true if n is odd"),
    ("Write a function that returns true if n is even", "Write a function that returns false if n is even"),
    ("What did Einstein say about Bohr?", "What did Bohr say about Einstein?"),
    ("Is 10 greater than 5?", "Is 5 greater than 10?"),
    ("Give me a summary of chapter 3", "Give me a summary of chapter 4"),
    ("Tell me about Mercury the planet", "Tell me about Mercury the element"),
    ("Who is older, Ann or Bob?", "Who is younger, Ann or Bob?"),
    ("What's the best way to gain weight?", "What's the best way to lose weight?"),
    ("Is it legal to record calls in Texas?", "Is it illegal to record calls in Texas?"),
    ("How do I quit my job?", "How do I quit smoking?"),
    ("How do I become a doctor?", "How do I become a nurse?"),
    ("What happens if I miss one dose?", "What happens if I miss two doses?"),
    ("Remind me in an hour", "Remind me in a minute"),
    ("Remind me tomorrow to call Ann", "Remind me today to call Ann"),
    ("Book a table for two at 7", "Book a table for seven at 2"),
    ("Book a table at noon", "Book a table at midnight"),
    ("Is the meeting on Tuesday?", "Is the meeting on Wednesday?"),
    ("How do I say hello in Thai?", "How do I say goodbye in Thai?"),
    ("What do cats think about dogs?", "What do dogs think about cats?"),
    ("Does smoking cause cancer?", "Does cancer cause smoking?"),
    ("Can I deduct rent?", "Can I deduct interest?"),
    ("Do I need a permit to build a deck?", "Do I need a permit to remove a deck?"),
    ("Write a positive review of the movie", "Write a negative review of the movie"),
    ("Explain it to a child", "Explain it to an expert"),
    ("Why is the sky blue during the day?", "Why is the sky dark during the night?"),
    ("How do you like me?", "How do I like you?"),
    ("How long is the Nile?", "How wide is the Nile?"),
    ("How old is the Sphinx?", "How tall is the Sphinx?"),
    ("What is a tesla?", "How much is a tesla?"),
    ("Is there a god?", "Are there gods?"),
    ("Which is the first month?", "Which is the last month?"),
    ("What are good names for a boy?", "What are good names for a girl?"),
    ("What are my rights as a tenant?", "What are my rights as a landlord?"),
    ("Is A or B correct?", "Is A and B correct?"),
    ("Vitamin A benefits", "Vitamin B benefits"),
    ("What does C do?", "What does D do?"),
    ("Describe plan A", "Describe plan B"),
    ("apple pie recipe", "Apple Pay recipe"),
    ("How much IT budget?", "How much budget?"),
    ("What did he tell her?", "What did she tell him?"),
    ("Should the buyer pay the seller?", "Should the seller pay the buyer?"),
    ("Was Kennedy shot by Oswald?", "Was Oswald shot by Kennedy?"),
    ("Is France bigger than Spain?", "Is France smaller than Spain?"),
    ("What is my name?", "What is your name?"),
    ("Who am I?", "Who are you?"),
    ("Can you swim?", "Can I swim?"),
    ("Do my taxes depend on your taxes?", "Do your taxes depend on my taxes?"),
    ("What time is it in Lima when it is noon in Rome?", "What time is it in Rome when it is noon in Lima?"),
    ("Days between May 3 and June 10", "Days between May 10 and June 3"),
    ("Explain this function", "Explain this class"),
    ("Say it in Thai", "Translate it from Thai"),
    ("What can replace salt?", "What can I replace with salt?"),
    ("How many cups does a US gallon have?", "How many US gallons are in a cup?"),
    ("What did Ann find?", "Who found Ann?"),
    ("How do I remove a stain from a rug?", "How do I remove a rug with a stain?"),
    ("How do I say tea in Thai?", "How do I write tea in Thai?"),
    ("What is the largest sea?", "What is the largest ocean?"),
    ("Can gout be cured?", "Can gout be treated?"),
    ("What is the library?", "What does the library offer?"),
    ("What is a good score?", "What is a score?"),
    ("Explain when bees swarm", "Explain how bees swarm"),
    ("Tell me when to prune roses", "Tell me how to prune roses"),
    ("How do I turn the alarm off?", "How do I turn the alarm on?"),
    ("Can I swim at night?", "Do I swim at night?"),
    ("Do I need insurance for a bike?", "Can I get insurance for a bike?"),
    ("Who reports to Ann?", "Who reported to Ann?"),
    ("If it rains, can I go by car?", "If I go by car, can it rain?"),
    ("Rotate the list to the left", "Rotate the list to the right"),
    ("List the tasks assigned to me", "List the tasks assigned by me"),
    ("How much is 90 francs in lira?", "How much is 90 lira in francs?"),
    ("Which pills should nurses take?", "Which pills do nurses take?"),
    ("At what age did Bach die?", "When did Bach die?"),
    ("Name the mayor of Bern", "Who was the mayor of Bern?"),
    ("Write a card for my aunt", "Write a card from my aunt"),
    ("What is 6 times 9?", "What is 6 plus 9?"),
    ("Which car is fast?", "Which car is it?"),
    ("What does the chief need?", "Who needs the chief?"),
    ("remind me to call Ann", "remind Ann to call me"),
    ("How do I zoom?", "How do I zoom out?"),
    ("How much is a gallon of milk?", "How much milk is a gallon?"),
    ("Do I need to sign?", "Can I sign?"),
    ("Can I call?", "Can I be called?"),
    ("Can a landlord evict?", "Can a landlord be evicted?"),
    ("Can I eat it?", "Can it eat me?"),
    ("What should I never eat?", "What will I never eat?"),
    ('What does "would be" mean?', "What does should be mean?"),
    ("Which nitrate is it?", "Which nitrite is it?"),
    ("How do I stain clothes?", "How do I stain cloths?"),
    ("Indian restaurants", "restaurants in India"),
    ("Is it at 9 am?", "Is it at 9 pm?"),
    ("How hot does it get in Oslo?", "How cold does it get in Oslo?"),
    ("Can men have this?", "Can women have this?"),
    ("How do I delete files older than 7 days?", "How do I delete files newer than 7 days?"),
    ("How do I keep files older than 7 days?", "How do I delete files older than 7 days?"),
    ("Stop the server", "Start the server"),
    ("List users with no orders", "List users with orders"),
    ("Sum of the first 10 primes", "Product of the first 10 primes"),
    ("half a cup of sugar in grams", "a cup of sugar in grams"),
    ("What's a quarter of 80?", "What's half of 80?"),
    ("At least 3 items", "At most 3 items"),
    ("Fewer than 10 employees", "More than 10 employees"),
    ("How to lock a door", "How to unlock a door"),
    ("Does it work offline?", "Does it work online?"),
    ("Is anyone there?", "Is no one there?"),
    ("I am allergic to nuts, what can I eat?", "I am not allergic to nuts, what can I eat?"),
    ("What is the cause of asthma?", "What is the effect of asthma?"),
    ("What is the effect of sleep on memory?", "What is the effect of memory on sleep?"),
    ("difference of 10 and 4", "difference of 4 and 10"),
    ("subtract 4 from 10", "subtract 10 from 4"),
    ("divide 10 by 5", "divide 5 by 10"),
    ("What is Rust used for?", "What is rust?"),
    ("Who invented the telephone?", "Who uses the telephone?"),
    ("Who owns Reddit?", "Who runs Reddit?"),
    ("Where was Kant born?", "When was Kant born?"),
    ("How did Rome fall?", "When did Rome fall?"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_question_in_other_words_passes(a: str, b: str) -> None:
    assert judge(a, b) == "pass"
    assert judge(b, a) == "pass"


@pytest.mark.parametrize(
    ("a", "b", "what"), DIFFERENT, ids=[f"{w}-{i}" for i, (_, _, w) in enumerate(DIFFERENT)]
)
def test_another_question_is_stopped_whichever_came_first(a: str, b: str, what: str) -> None:
    assert judge(a, b) != "pass"
    assert judge(b, a) != "pass"


def test_minimal_changes_of_everyday_requests_are_stopped() -> None:
    served = [(a, b) for a, b in MINIMAL if "pass" in (judge(a, b), judge(b, a))]
    assert served == []


@pytest.mark.parametrize(
    ("a", "b"),
    [("", "x"), ("?", "!"), ("x" * 5000, "x" * 5001), ("dog cat " * 450, "cat dog " * 450), ("'" * 3999, "'" * 3998),
     ("SELECT " * 570, "return " * 570), ("Ann " * 900, "Bob " * 900), ("\ud800 hi", "hi \U0001f600")],
)  # fmt: skip
def test_odd_and_hostile_texts_are_refused_in_bounded_time(a: str, b: str) -> None:
    started = time.thread_time()
    assert judge(a, b) != "pass"
    assert (
        time.thread_time() - started < 5
    )  # CPU time, a hundred times what it takes: only runaway work gets there


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("boxes", "box", True), ("cities", "city", True), ("planning", "plan", True), ("bought", "buy", True),
        ("translation", "translate", True), ("tall", "taller", False), ("taller", "tallest", False),
        ("able", "unable", False), ("teach", "teacher", False), ("quest", "question", False), ("plan", "plane", False),
        ("state", "station", False), ("edit", "edition", False), ("cut", "cute", False), ("hoping", "hope", True),
    ],
)  # fmt: skip
def test_stems_join_inflections_and_keep_comparison_apart(a: str, b: str, same: bool) -> None:
    assert (stem(a) == stem(b)) is same


def test_on_the_shipped_pairs_the_guard_alone_keeps_the_bound() -> None:
    pairs = shipped_pairs()
    false = [p for p in pairs if not p.same and judge(p.a, p.b) == "pass"]
    hits = [p for p in pairs if p.same and judge(p.a, p.b) == "pass"]
    assert len(false) / sum(not p.same for p in pairs) <= 0.005
    assert len(hits) / sum(p.same for p in pairs) >= 0.75


DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.mark.skipif(not (DATA / "semantic_pairs.jsonl.gz").exists(), reason="development data are not here")
def test_on_the_development_data_with_minilm_vectors() -> None:
    with gzip.open(DATA / "semantic_pairs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    stored = np.load(DATA / "semantic_pairs_minilm.npz")
    vectors = stored["vectors"].astype(np.float32)
    similarity = (vectors[stored["a"]] * vectors[stored["b"]]).sum(1)
    counts = {(kind, same): [0, 0] for kind in ("request", "adversarial") for same in (0, 1)}
    for row, cosine in zip(rows, similarity, strict=True):
        kind = "adversarial" if row["source"].startswith(("CheckList", "QQP")) else "request"
        tally = counts[kind, row["same_answer"]]
        tally[0] += 1
        tally[1] += match(row["a"], row["b"], float(cosine), 0.7).hit
    rate = {key: hits / total for key, (total, hits) in counts.items()}
    assert rate["request", 1] >= 0.60
    assert rate["request", 0] <= 0.005
    # The target; what is measured stands in docs/cache.md. Most of the rest are duplicates by another name.
    assert rate["adversarial", 0] <= 0.02

"""Hand-written requests that widen the training rows: languages, pasted payloads, utilities, hard work.

Written for this project (CC0). Slots are filled by a seeded generator, so a run is reproducible.
"""

from __future__ import annotations

import random
import re
from typing import Any

from complexity_languages import LANGUAGES
from complexity_payloads import PAYLOADS, article

Row = dict[str, Any]
S, SM, M, MC, C = ["simple"], ["simple", "medium"], ["medium"], ["medium", "complex"], ["complex"]

SLOTS: dict[str, list[str]] = {
    "n": ["3", "12", "45", "150", "7.5", "1000", "2,400", "88"],
    "unit": ["miles", "kilograms", "feet", "cups", "ounces", "celsius", "dollars", "euros", "inches", "litres", "acres"],
    "city": ["Boston", "Nairobi", "Oslo", "Lima", "Osaka", "the airport", "grandma's house", "Denver", "the nearest station"],
    "country": ["Peru", "Vietnam", "Poland", "Kenya", "New Zealand", "Chile", "Morocco"],
    "thing": ["a banana", "a slice of pizza", "a boiled egg", "a cup of rice", "an avocado", "oatmeal"],
    "word": ["rhythm", "queue", "mischievous", "latent", "ephemeral", "conscience", "algorithm", "analysis", "debug", "class"],
    "lang": ["French", "Spanish", "Japanese", "Korean", "Greek", "Swedish", "Arabic"],
    "phrase": ["where is the bathroom", "see you tomorrow", "I am lost", "how much is this", "happy birthday"],
    "topic": ["photosynthesis", "the stock market", "black holes", "a heat pump", "compound interest", "plate tectonics", "blockchain", "the immune system", "inflation", "machine learning", "the French Revolution", "noise cancelling headphones"],
    "animal": ["dolphins", "owls", "cats", "octopuses", "penguins"],
    "plang": ["Python", "Rust", "Go", "TypeScript", "Java", "C++", "Kotlin", "Bash", "R", "Swift"],
    "task": ["reverses the words of a sentence", "finds duplicate files in a folder", "parses a CSV file and sums a column", "checks whether two strings are anagrams", "computes the median of a list", "validates an e-mail address", "flattens a nested list", "downloads a web page", "rotates a matrix"],
    "system": ["a ride-hailing dispatcher", "a multi-tenant billing service", "a collaborative text editor", "a real-time fraud detector", "a hospital scheduling platform", "a log analytics pipeline", "an offline-first notes app with sync", "a rate limiter across regions", "a search engine for legal documents", "a stock exchange matching engine"],
    "aspect": ["failure modes", "consistency and latency", "security", "cost", "data migration and rollback", "capacity planning", "observability"],
    "var": ["x", "n", "a", "k", "m", "y"],
    "p": ["7", "11", "13", "17", "101", "2023"],
    "person": ["my boss", "a customer", "my landlord", "a colleague", "my teacher", "a friend"],
    "occasion": ["a birthday", "a wedding", "a farewell party", "a job application", "an apology", "a late delivery"],
    "place": ["Portugal", "Japan", "the Alps", "Mexico City", "Scotland"],
    "book": ["Dracula", "The Great Gatsby", "Pride and Prejudice", "1984", "Moby Dick"],
}  # fmt: skip

# (acceptable tiers, labelled tier, templates)
ENGLISH: list[tuple[list[str], str, list[str]]] = [
    (S, "simple", """
hello|hi there|good evening|hey, how is it going today|what's up|thanks a lot for that|thank you, you have been very helpful|
that is not correct|yes that's right|i am not sure about that|maybe later|could you say that again please|i didn't catch that|
what should i call you|who built you|do you have any hobbies|am i talking to a machine or a human being|how old are you anyway|
where do you come from|do you have a dog or a cat|goodbye for now|talk to you soon|great, that works|ok cool|never mind|
what is the meaning of life, in your opinion|tell me a joke about {animal}|i would like to hear a fun fact about {animal}|
give me some trivia about {topic}|say something funny about work|flip a coin and tell me the result|roll a die for me please|
pick a random number between 1 and 10|what time is it in {city} right now|what's the time zone of {city}|what day is it today|
i need to know what the date will be next friday|what will the weather be like in {city} tomorrow|do i need an umbrella today|
how long does it take to drive to {city} from here|if i take the bus how long will it be until i reach {city}|how far is {city}|
how many {unit} are in {n} {unit}|i need to convert {n} {unit} to {unit}|what's the exchange rate between dollars and yen|
how much is {n} dollars in pounds|what is {n} plus {n}|can you tell me what {n} divided by 4 comes to|square root of 144|
what is 20 percent of {n}|round {n} to the nearest ten|how many calories are in {thing}|tell me the calories for {thing}|
how do you spell {word}|i can't remember how to spell {word}, can you help|what does {word} mean|define {word}|
define "{word}" in a few words|what is the plural of {word}|how do you pronounce "{word}"|give me a synonym for {word}|
what's the opposite of {word}|translate "{phrase}" into {lang}|how do i say {phrase} in {lang}|if i were in {country} how would i say {phrase}|
translate the word "{word}" to {lang}|what is the capital of {country}|what currency do they use in {country}|
set a timer for {n} minutes|wake me up at six|remind me to call mom at five|play some jazz|turn off the lights in the kitchen|
add milk to my shopping list|what's on my calendar today|call dad|is {n} an even number|is 51 prime|
sort these: 9, 2, 5|which is bigger, 0.7 or 0.65|what comes after Thursday|how many days are in March|
correct the spelling: "definately"|fix the typo: "the adress is wrong"|rewrite politely: "Give me the report."|make this plural: child|
is this positive or negative: "what a waste of money"|is this sentence a question: "you are late"|
label as spam or not spam: "claim your prize now"|which of these is a colour: table, green, seven|
extract the phone number: "reach me at 555-0142 after six"|extract the date from: "The meeting moved to May 4th."|
what is the ISO code for {country}|what does the abbreviation CEO stand for|what port does https use|
what does "git pull" do|what is the file extension of a {plang} file|which shortcut copies text|lowercase this: HELLO WORLD|
count the letters in "{word}"|what is {word} in {lang}|who is the president of {country}|answer with one word: is the sky blue
"""),
    (SM, "simple", """
who wrote {book}|when was {book} published|where is {country} located|what is the population of {country}|
who invented the microwave oven|when did the first world war start and end|which planet has the most moons|
what is the longest river in {country}|who won the world cup in 1998|how tall is mount kilimanjaro|what language is spoken in {country}|
what are the ingredients of guacamole|name three {animal} species|list the planets of the solar system|
list five countries in africa|what is the boiling point of water at sea level|why is the sky blue|why do {animal} sleep so much|
is it safe to eat raw eggs|what are some synonyms for happy|give me a rhyme for orange|which animal is the fastest|
what movies has the director of Jaws made|what is the difference between a and an|
Given a sentence, tell whether it is positive or negative.\n\nI could not stop smiling during the show.|
Classify the text into sports, politics or science. Output only the label.\n\nThe striker scored twice in the final minutes.|
Detect whether the following message is rude. Answer yes or no.\n\nYou people never listen, do you?|
Rank the following animals by size.\n\n{animal}, mouse, elephant, horse|
Sort the list in descending order.\n\n[4, 18, -3, 77, 0]|Find the smallest number. Output the number only.\n\n12, 99, -4, 38|
Extract every name mentioned in the sentence.\n\nMaria met Tom and Aisha near the library.|
Identify the language of the text. Output the language only.\n\nIch habe keine Zeit.|
Tell me whether the two sentences mean the same. Output yes or no.\n\nSentence 1: He left early.\nSentence 2: He did not stay long.|
Replace the word with a better one.\n\nSentence: The food was nice.\nWord: nice|
Decide if the statement is true or false.\n\nSpiders are insects.|Make the sentence negative.\n\nShe likes tea.|
Choose the best title for the text. Output the title only.\n\nThe team trained for months and won by one point.|
In this task you are given a sentence. Output 1 if it contains a number, otherwise 0.\n\nWe bought three chairs.|
You are given a list of words. Return the ones that are fruit, separated by commas.\n\napple, stone, pear, chair|
Given a word, give its antonym.\n\nWord: generous|Given a sentence, return the third word.\n\nThe small dog barked loudly.|
Determine whether the review is positive or negative.\n\nReview: The staff were kind but the room was dirty and cold.|
Check the claim against common knowledge. Answer true, false or unknown.\n\nThe moon is larger than the earth.|
Correct the grammar of the sentence. If there is no error, output the sentence.\n\nShe have two cats.|
Does the message contain a threat? Output yes or no.\n\nMessage: If you come back I will call the police.|
Convert the date to ISO format.\n\n4 July 2019|Turn the sentence into passive voice.\n\nThe chef cooked the meal.|
Which topic fits best: travel, food, money?\n\nText: The bank raised its fees again.|
Fill in the blank with one word.\n\nThe sun rises in the ____.|Count how many times "the" occurs.\n\nthe cat and the dog and the bird|
Is the following mail a promotion? Answer yes or no.\n\nSubject: Only today: 30% off all shoes\nSender: shop@example.com\n\nDear customer, our sale ends at midnight.|
Pick the odd one out.\n\ncar, bus, banana, train|Given two numbers, output the larger.\n\n17 and 71|
Remove the duplicates.\n\n[1, 1, 2, 3, 3]|Tell me the part of speech of the word.\n\nWord: quickly\nSentence: She ran quickly.|
The process by which plants lose water is called\nA. osmosis\nB. transpiration\nC. respiration\nD. digestion\nAnswer:|
A brand's ________ is what customers think of it.\nA. image\nB. cost\nC. plant\nD. tax\nAnswer:|
The ____ party won the most seats in 1945.\nA. Labour\nB. Green\nC. Whig\nD. Farmers\nAnswer:|
Which of the following is a mammal?\nA. Trout\nB. Bat\nC. Eagle\nD. Frog\nAnswer:|
Which country hosted the 2000 Olympics?\nA. Greece\nB. Australia\nC. China\nD. USA\nAnswer:|
Who is credited with the theory of natural selection?\nA. Mendel\nB. Lamarck\nC. Darwin\nD. Lyell\nAnswer:
"""),
    (SM, "medium", """
explain {topic} to me|how does {topic} work|what is the difference between {topic} and {topic}|give me an overview of {topic}|
tell me about {topic} and where it is used|what are the pros and cons of working from home|how do i remove a red wine stain|
how can i fall asleep faster|write a short poem about {animal}|write an e-mail to {person} about {occasion}|
draft a message to {person}, i will be late|give me a recipe for lasagne|suggest names for a coffee shop|
what should i cook with rice and eggs|plan a simple weekend in {place}|recommend three books like {book}|
summarise the plot of {book}|give me tips for a job interview|how do i change a flat tire|write a toast for {occasion}|
what are good gifts for {person}|how do i start running|write a product description for a water bottle|
come up with a metaphor for {topic}|give me a list of questions to ask {person}|write a tweet about {topic}|
what is the best way to learn {lang}|how do i ask {person} for a favour|write a short story about {animal} and the sea|
what causes earthquakes|why did the roman empire fall|how is cheese made|what were the consequences of the plague|
Reply to the mail and decline politely.\n\nHi, would you join our panel on Friday? Best, Ana|
Write a birthday card for {person}.|Explain the idiom and give an example.\n\nbreak the ice|
Convert the notes into full sentences.\n\nmeeting moved, room 4, bring slides|
Brainstorm five slogans for a bakery.|Write a dialogue between a tourist and a waiter.|
Given the keywords, write a headline.\n\nKeywords: storm, harbour, boats|Write two questions for the text.\n\nBees live in hives and make honey.|
Given facts about a person, write a short introduction.\n\nName: Li Wei\nAge: 44\nJob: pilot\nHobby: chess|
Write a recommendation letter from the notes.\n\nNotes:\n- top of the class\n- led the robotics club\n- kind to others|
Continue the paragraph.\n\nThe lighthouse keeper had not spoken to anyone for a month when the letter came.|
Paraphrase the text.\n\nMany people prefer trains because they can read or work on the way.|
Tell me whether this job suits me and why.\n\nJob: librarian\nPersonality: quiet, patient, dislikes phone calls|
Describe each of the following in one sentence.\n\n- Mount Fuji\n- Marie Curie\n- The Nile|
Write a lunch menu for five days with a main dish and a dessert each day.|Give me a breakfast without milk that has about 500 calories.|
Make a budget for a four-day trip to {place}.|Which gift would you give {person} and why?|
Answer the interview question.\n\nQuestion: Tell me about a time you solved a conflict.|
Turn the table into sentences.\n\nCity | Opened | Visitors\nOslo | 1990 | 20000|
Explain what is funny about the joke.\n\nI used to be a banker but I lost interest.|
Identify any bias in the sentence and explain it.\n\nOld people cannot use computers.|
Write a proverb about {thing}.|Create a packing list for a trip to {place}.|Turn the facts into a short biography.\n\nName: Ana Ruiz\nBorn: 1950\nJob: painter|
Write a story that uses the words.\n\nlantern, river, clock|Give me a weekly workout for beginners.|
how do i check the free disk space on linux|what does the yield keyword do in python|how do i undo a git commit
"""),
    (M, "medium", """
Compare {topic} and {topic} for a beginner, with a table of at least five aspects and a short conclusion.|
Act as a travel guide. I will tell you where I am and you suggest places nearby. My first location is {place}.|
Write a two-page essay outline on {topic} with an introduction, three arguments and a conclusion.|
Explain {topic} in detail and give three examples of each kind, then list common misunderstandings.|
Write a cover letter for a nurse with ten years of experience who wants to work in research.|
Give me a table of ten European countries with capital, population and currency.|
Write a blog post of about 500 words on how {topic} affects everyday life.|
Write a persuasive speech about {topic} for a school debate, with counterarguments.
"""),
    (MC, "medium", """
write a function in {plang} that {task}|Write a {plang} script that {task}.|Give me {plang} code that {task} and explain it.|
create a simple web page with a form and a submit handler|write a regex that matches dates like 2024-05-01|
write a SQL query that returns the top five customers by revenue per month|how do i use async and await in {plang}|
show me how to read a config file in {plang}|make a bar chart of monthly sales in {plang}|
write unit tests for a stack class in {plang}|write a dockerfile for a small {plang} service|
what is the time complexity of quicksort and why|how do i center a div both ways and keep it responsive|
example of a docker compose file with postgres and redis|implement a linked list in {plang}|
how would i merge two data frames in {plang} on two keys|{plang}: parse command line arguments with defaults|
A train travels {n} km in 3 hours and then 80 km in 1 hour. What is its average speed?|
Tom has {n} apples, gives a third to Ann and buys twice as many as he has left. How many does he have now?|
A shirt costs {n} dollars after a 15% discount. What was the price before?|
What if the printing press had never been invented?|What if {country} had never been colonised? How would its culture differ?|
How do economic and social factors shape people's diets, and what follows for policy?|
Explain gene therapy, its applications and its ethical problems.|How could artificial intelligence improve public transport?|
Estimate how many piano tuners work in {city}. Explain your reasoning step by step.
"""),
    (MC, "complex", """
A ball is thrown at 20 m/s at an angle of 35 degrees from a 15 m cliff. Where does it land?\nA. 32 m\nB. 51 m\nC. 60 m\nD. 44 m\nAnswer:|
Which reaction has the largest equilibrium constant at 298 K?\nA. I\nB. II\nC. III\nD. IV\nAnswer:|
For which statement is the group of order {p} necessarily abelian?\nA. I only\nB. II only\nC. I and II\nD. neither\nAnswer:|
Anna is taller than Ben. Ben is shorter than Carl but taller than Dora. Carl is not the tallest. Who is second tallest?|
Five houses stand in a row. The red one is left of the blue one, the green one is not at an end, and the white one is next to the yellow one. Which is in the middle?|
((4 * -7 + 3) - (8 - 2 * 5)) =|True and not ( False or not True ) and ( True or False ) is|
A shop buys goods for {n} dollars, marks them up 40%, sells a third, discounts the rest by 25% and sells them. What is the profit?|
A bond pays a coupon of 5% semi-annually and yields 6%. It matures in {n} years. What is its price, and how does it change if the yield rises by 1%?|
Under which conditions is the estimator consistent but biased? Explain with the omitted variable formula.|
What is the entropy change when {n} g of ice melts at 0 C and is heated to 40 C?
"""),
    (C, "complex", """
Prove that there is no rational number whose square is {p}.|Prove that every group of order {p} is cyclic and classify the groups of order p^2.|
Let ${var}$ be a positive integer such that ${var}^2+{p}$ is divisible by $2{var}+1$. Find the sum of all possible values of ${var}$.|
Find the number of ordered triples $(a,b,c)$ of positive integers with $a+b+c={p}$ and $\\gcd(a,b,c)=1$.|
Let $f:\\mathbb{R}\\to\\mathbb{R}$ satisfy $f(x+y)+f(x-y)=2f(x)f(y)$ for all real $x,y$ and $f(1)=\\frac{3}{2}$. Find $f(5)$.|
Triangle $ABC$ has $AB=13$, $BC=14$, $CA=15$. Point $P$ lies on the circumcircle. Find the maximum of $PA+PB+PC$.|
Determine all primes $p$ for which $p^2+2^p$ is prime.|What is the remainder when ${p}^{{p}}$ is divided by 1000?|
A sequence satisfies $a_1=1$ and $a_{n+1}=a_n+\\lfloor\\sqrt{a_n}\\rfloor$. Find the least $n$ with $a_n>{p}$.|
The probability that a random walk returns to the origin after {n} steps is $\\frac{u}{w}$ in lowest terms. Find $u+w$.|
How many ways are there to tile a 3 by {n} board with dominoes? Derive the recurrence and solve it.|
Evaluate $\\int_0^{\\infty}\\frac{\\ln x}{x^2+{p}}dx$ and justify each step.|
已知函数$f(x)=x^3-3ax+{p}$在区间$[0,2]$上的最大值为$M$，求$M$的最小值。|设数列$\\{a_n\\}$满足$a_1=1$，求$a_{100}$的整数部分。|
Show that the sum of two independent normal variables is normal, then generalise to stable laws.|
Derive the closed form of the ridge regression estimator and discuss its bias and variance.|
Derive the equations of motion of a double pendulum and linearise them about equilibrium.|
Design {system}. Discuss {aspect} and {aspect}, and justify each choice.|
Design the data model and API of {system}; compare two alternatives and recommend one with reasons.|
Propose an architecture for {system} that survives the loss of a region; work out {aspect} in detail.|
We run {system} and tail latency doubled after the last release although CPU is flat. List likely causes in order and how to test each.|
Our service leaks memory only in production under load. Work out a plan to find the cause, with the evidence each step gives.|
Plan the migration of {system} from a monolith with no downtime: phases, risks, rollback at every step, who does what.|
Implement {system} in {plang}, with tests for concurrency, failure injection and a benchmark.|
Implement a lock-free queue in {plang}, prove that it is linearizable and write stress tests.|
Write an interpreter for a small functional language in {plang} with closures, error recovery and garbage collection.|
Implement an LRU cache with expiry that is safe under concurrent access in {plang}, with tests of every edge case.|
Write a threat model for {system}: assets, attackers, attack trees, ranked mitigations.|
Find the race in double buffering with two writers, explain which interleaving breaks it and give two correct fixes.|
Schedule 9 nurses over 14 days so that nobody works more than 5 nights in total, each night has two and Eva never works with Tom. Give the plan or prove there is none.|
Plan a two-week trip through {place} for five people with different diets and a budget of 3000 euros, no flights, with alternatives for rain and a cost table.|
Analyse the arguments for and against judicial review, reconstruct the strongest form of each and assess which is better supported.|
Reconstruct the private language argument, raise the two best objections and answer them.|
Critically evaluate three explanations of the great divergence and say what evidence would decide between them.|
Develop a statistical analysis plan for a cluster randomised trial with 14 clinics, including power, missing data and multiplicity.|
Write a grant proposal on {topic}: aims, methods, risks, timeline, budget, with a critical review of the literature.|
Build a financial model for a subscription business over five years: assumptions, churn, scenarios, sensitivity, and what would break it.|
Draft a contract for {system} that covers liability, data protection and termination, and explain each clause's risk for both sides.|
Investigate why revenue fell by 9% in one quarter: form at least four hypotheses, query what you need to test them and write up the causes.|
Find all customers who left last year, compare them with those who stayed, control for plan and region, and report causes with the queries.|
You have 13 coins, one of them fake. Find it in three weighings and give the whole decision tree.|
Give an algorithm for the shortest path that uses exactly k edges, prove it correct and analyse its complexity; then make it work for negative weights.|
Write a compiler pass that removes dead stores, prove it preserves semantics and measure it on a set of programs.|
Build a playable chess game in {plang} with legal move generation, an engine with alpha-beta search and a test suite.|
Create a complete e-commerce site in {plang} with cart, payments, admin pages, authentication and deployment scripts.|
You are a game master. Invent a world with factions, rules of magic and a branching story with at least six endings, keep score and adapt to what I do.|
You are a senior analyst. Compare the attached strategies along cost, risk and speed, resolve the contradictions and write a report with recommendations for the board.
"""),
]  # fmt: skip

# Everyday questions said the long way round: (frame, question as a clause)
FRAMES = [
    "i need to know {}", "please let me know {}", "can you tell me {}", "i would like to know {}", "do you know {}", "could you find out {}",
    "tell me {}", "i was wondering {}", "any idea {}", "help me figure out {}", "i want to find out {}", "hey, {}", "would you be able to tell me {}",
]  # fmt: skip
CLAUSES = [
    "how long it takes to get to {city}", "how many {unit} make {n} {unit}", "what the exchange rate of euros and yen is", "what time it is in {city}",
    "how far it is to {city} by train", "how many calories {thing} has", "what today's date is", "the time zone of {city}", "your name", "who made you",
    "how old you are", "what your hobbies are", "if you are a person or a machine", "how {word} is spelled", "the meaning of {word}",
    "how to say {phrase} in {lang}", "the proper way to say hello in {lang}", "how hot it is in {city}", "the conversion from {unit} to {unit}",
    "the sum of {n} and {n}", "half of {n}", "what {n} dollars are in euros", "whether it will rain in {city}", "a joke about {animal}", "a fun fact about {animal}",
    "where you are from", "if you have any pets", "the point of life", "how many ounces are in a pound", "the calorie count of {thing}",
]  # fmt: skip

# Asks about a pasted thing: (accepts, tier, kind of payload, asks)
PASTED: list[tuple[list[str], str, str, str]] = [
    (S, "simple", "code", "what language is this?|Which line returns?|how many arguments does this take|what is the name of the function|Is this Python or JavaScript?|does this use recursion? yes or no|Write a one-line comment for it.|what does the last line print|is there a loop in this code|in welcher Sprache ist das geschrieben?|¿qué lenguaje es este?|quel est ce langage ?|这是什么编程语言？|これは何の言語ですか？|на каком языке это написано?"),
    (SM, "medium", "code", "Explain what this does.|what does this code do?|add comments|rename the variables to clearer names|add type hints|Was macht dieser Code?|¿qué hace este código?|解释这段代码|what is the time complexity of this function"),
    (MC, "complex", "code", "Fix the bug.|why does this crash with an empty list, and how should it be fixed?|rewrite this to be faster|find the problem and correct it|convert this to {plang}|optimise this and explain each change|refactor it|this throws an exception sometimes, help|write tests that cover every branch|Is there a security problem in here? How would an attacker use it?|¿por qué falla este código?|warum funktioniert das nicht?|为什么这段代码出错？|clean this up|review it"),
    (C, "complex", "code", "Find every concurrency bug, explain the interleaving that triggers each and give a proven fix.|Redesign this into a plugin architecture with dependency injection, migrate the callers and write a full test suite.|Rewrite this in {plang} with streaming, retries, back-pressure, metrics and tests, and justify the design."),
    (S, "simple", "table", "how many rows are there?|what is the header of the second column|which value is the largest in the last column|wie viele Zeilen hat die Tabelle?|how many columns?"),
    (SM, "medium", "table", "convert this to JSON|which product sold best and by how much|sort by the last column|summarise this table in two sentences"),
    (C, "complex", "table", "Build a forecasting model on this data, test its assumptions, quantify the uncertainty and recommend a stock policy.|Analyse this for anomalies, control for season, test three hypotheses and write the queries you would run."),
    (S, "simple", "log", "what time did the error happen?|which host is this from|is there an error in this log? yes or no|how many warnings?"),
    (MC, "complex", "log", "what went wrong here and how do i fix it?|find the root cause|why does the service restart?|Warum bricht das ab?"),
    (S, "simple", "json", "is this valid JSON?|what is the value of id|how many items are in the list|what's the user's city"),
    (SM, "medium", "json", "turn this into a table|convert to YAML|write a TypeScript type for this"),
    (S, "simple", "mail", "who sent this?|when is the meeting?|is this spam?|what is the subject|quand est la réunion ?|which language is this mail in"),
    (SM, "medium", "mail", "write a polite reply|summarise this thread|decline the invitation kindly|what do they want from me?|Antworte höflich darauf.|列出待办事项"),
    (SM, "simple", "article", "Question: when did it happen?|who was in charge?|Question: which city is mentioned first?|how many people lived there?|Q: what was the building used for?|where did they move to?|why did it close?|what is the name of the river?|in welchem Jahr war das?|¿quién lo fundó?|谁建立了它？|What language is this text in?|Find all years in the text.|Is this text about sports? yes or no|Quick question: what is the main subject?"),
    (SM, "medium", "article", "Summarise this.|Summarize the text in two sentences.|give me three bullet points|TL;DR please|rewrite this for a ten-year-old|translate this into {lang}|Fasse das zusammen.|resume este texto|总结一下|要約してください|Rewrite it in a friendlier tone.|write a title for this|make it shorter"),
    (C, "complex", "articles", "Compare the documents along at least five dimensions, resolve the contradictions and write a report with recommendations.|Read all sources. Where do they agree, where do they contradict each other, and what follows? Cite them.|Analyse the texts as a whole: map the arguments, list hidden assumptions, grade the evidence and write a critical review.|Vergleiche die Dokumente kritisch und leite Empfehlungen ab."),
    (MC, "complex", "article", "Critically assess the argument, name its hidden assumptions and say what evidence would change the conclusion.|Write a position paper based on this, with counterarguments and a recommendation."),
]  # fmt: skip

_SLOT = re.compile(r"\{([a-z]+)\}")
_COPIES = 2


def _fill(template: str, rng: random.Random) -> str:
    return _SLOT.sub(lambda m: rng.choice(SLOTS[m[1]]) if m[1] in SLOTS else m[0], template)


def _row(text: str, accepts: list[str], tier: str, source: str) -> Row:
    message = {"role": "user", "content": text}
    return {"messages": [message], "tier": tier, "acceptable": accepts, "source": source, "use": "train"}


def _varied(text: str, rng: random.Random) -> str:
    """Typed by hand: sometimes lower case, a polite word, no full stop."""
    roll = rng.random()
    if roll < 0.2:
        return text.lower()
    if roll < 0.3 and len(text) < 120:
        return f"please {text[0].lower()}{text[1:]}"
    if roll < 0.36 and len(text) < 120:
        return text + rng.choice([" please", " thanks", "?", " asap"])
    return text


def synthetic(seed: int = 17) -> list[Row]:
    """Rows in the shape of the labelled data; `source` begins with `written/`."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for accepts, tier, block in ENGLISH:
        for template in (part.strip() for part in block.strip().replace("|\n", "|").split("|")):
            for _ in range(_COPIES if "{" in template else 1):
                rows.append(_row(_varied(_fill(template, rng), rng), accepts, tier, f"written/en-{tier}"))
    for frame in FRAMES:
        for clause in rng.sample(CLAUSES, 9):
            rows.append(_row(_fill(frame.replace("{}", clause), rng), S, "simple", "written/en-utility"))
    for accepts, tier, kind, asks in PASTED:
        for ask in asks.split("|"):
            for _ in range(3):
                text = _paste(_fill(ask, rng), kind, rng)
                rows.append(_row(text, accepts, tier, f"written/pasted-{tier}"))
    labels = {
        "social": (S, "simple"),
        "lookup": (S, "simple"),
        "ordinary": (SM, "medium"),
        "code": (MC, "medium"),
        "hard": (C, "complex"),
    }
    for kinds in LANGUAGES.values():
        for kind, texts in kinds.items():
            accepts, tier = labels[kind]
            rows.extend(_row(text, accepts, tier, f"written/lang-{tier}") for text in texts)
    return rows


def _paste(ask: str, kind: str, rng: random.Random) -> str:
    if kind == "articles":
        count = rng.randint(2, 4)
        body = "\n\n".join(f"[Document {n}]\n{article(rng)}" for n in range(1, count + 1))
    elif kind == "article":
        body = article(rng)
    else:
        body = rng.choice(PAYLOADS[kind])
    if kind == "code" and rng.random() < 0.6:
        body = f"```\n{body}\n```"
    return f"{ask}\n\n{body}" if rng.random() < 0.5 else f"{body}\n\n{ask}"

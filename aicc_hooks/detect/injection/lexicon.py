"""Words that make an attack, sorted into classes, in English. Other languages are in `lexicon_world`.

A rule is written once over classes (`V..P..I`: override verb, earlier, instructions) and so holds for every language
and every synonym. `*` ends a stem; accents are folded away before look-up. Own work, no data set was copied.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = {
    "V": "override verb",
    "T": "throw, set, put: an override verb together with `a`",
    "a": "aside, out, away",
    "N": "negation, stop",
    "F": "follow, obey",
    "P": "earlier, above, original",
    "Q": "all, everything",
    "Y": "you, your",
    "I": "instructions, rules, prompt",
    "O": "context, message, task, text",
    "S": "system, hidden, confidential",
    "R": "reveal, print, repeat",
    "W": "what, which",
    "X": "verbatim, in full, begin with",
    "C": "now, instead, new, must",
    "A": "act as, pretend, simulate",
    "U": "unrestricted, jailbroken, DAN",
    "L": "limits, ethics, refusal",
    "M": "assistant, AI, model",
    "E": "send, forward, upload",
    "K": "password, key, conversation",
    "H": "URL or address",
    "D": "decode, base64",
    "G": "execute, carry out",
    "J": "administrator, maintenance, authorised",
    "Z": "attention, important, note",
    "B": "reply, response, answer (the assistant's)",
    "w": "I, we, they, he",
    "t": "to",
    "q": "is, can, does",
    "c": "and, please, so, hi",
    "h": "how, why",
    "b": "explain, difference, meaning: talk about a thing",
}

ENGLISH: Final = {
    "V": "ignore ignores ignoring ignored disregard disregards disregarding disregarded forget forgets forgetting skip bypass override overrides "
    "overriding discard discarding drop neglect abandon dismiss omit erase delete wipe reset clear unlearn "
    "overwrite void invalidate nullify cancel supersede supersedes scrap remove delete circumvent disable deactivate "
    "overrule reject renounce unfollow revoke purge ignor forgetting",
    "T": "throw toss set put cast leave lay push shove brush shed kick",
    "a": "aside out away behind",
    "N": "not no never don't dont do'nt don'nt doesn't stop cease cannot can't won't without nothing neither nor none quit refrain isn't "
    "aren't shouldn't mustn't needn't unable free freed",
    "F": "follow following obey obeying comply complying adhere listen heed attention abide respect bound apply observe stick honor honour "
    "regard consider pay bother",
    "P": "previous previously prior above earlier preceding foregoing initial initially original originally existing before past former formerly "
    "aforementioned old older first so-far far beforehand up hitherto precedent predefined given told provided received current "
    "default",
    "Q": "all any every everything each whatever entire whole anything both complete",
    "Y": "you your yours yourself u ur you're you've you'll thy thou y'all",
    "I": "instruction instructions directive directives guideline guidelines rule rules command commands order orders prompt prompts "
    "constraint constraints restriction restrictions policy policies direction directions programming safeguard safeguards "
    "protocol protocols guidance regulations regulation preprompt systemprompt system_prompt mandate mandates prompting guardrail "
    "guardrails briefing stipulations requirements",
    "O": "context message messages conversation text texts task tasks assignment assignments input inputs chat words information article articles "
    "document documents training content contents configuration config notes settings line lines discussion goal goals objective "
    "role purpose job request question data memory persona identity dialogue dialog setup paragraph sentence passage history "
    "string initialization details phrase said",
    "S": "system developer hidden secret confidential internal base core pre meta root backend underlying private prefix preamble "
    "proprietary dev undisclosed",
    "R": "reveal show print output repeat display tell give share dump leak expose disclose list echo write translate encode summarize summarise "
    "spell copy paste recite quote provide return describe divulge spill reproduce rewrite render state restate say paraphrase "
    "convert respond recall explain see read extract type enumerate rephrase put continue complete summary get know uncover "
    "console.log cat",
    "W": "what which whats what's who where when whose",
    "X": "verbatim exactly word full fully literally beginning starting start begin begins started character entirety exact precisely prepend letter "
    "completely end opposite inside block",
    "C": "now instead henceforth new next then onwards onward from must moment forward hereafter always only just immediately going "
    "shall will updated hence further subsequently rather forth today replaced future currently will",
    "A": "act acting acts pretend pretending roleplay role-play rp simulate simulating imagine become play behave impersonate assume adopt "
    "persona character mode emulate embody immerse portray transform personality alter ego acts simulated simulator simulation "
    "voice hypothetical fictional game named called known switch enter stands enabled opposite role",
    "U": "unrestricted unfiltered uncensored limitless jailbreak jailbroken jailbreaking amoral unethical immoral illegal illegally evil dan nsfw "
    "lawless unbound unlimited unlocked unhinged immorality stan dude aim devmode evilbot godmode unchained liberated sinister "
    "malicious harmful offensive dangerous explicit profanity swear swears racist violent criminal uncensor freely anarchy "
    "ruthless remorse controversial inappropriate sexual toxic obscene vulgar godlike omnipotent rebel rogue dan's",
    "L": "limits limit limitation limitations filter filters censorship ethics ethical moral morals morality disclaimer disclaimers refuse refuses "
    "refusal law laws openai's legality confines boundaries judgement judgment safety warnings consequences norms bias biases "
    "appropriate decline reject moderation censor apologize apologise sorry confined unethically ethically morally shackles "
    "safeguards inhibitions warning legal principles standards permission allowed",
    "M": "assistant assistants ai ais llm llms chatgpt gpt chatbot chatbots bot bots model models agent agents claude gemini copilot gpt4 gpt-4 gpt-3 "
    "bard llama mistral grok a.i machine openai anthropic",
    "E": "send sends forward post email upload fetch append transmit exfiltrate mail submit redirect transfer deliver attach embed exfil "
    "wire visit navigate curl request load click download ping",
    "K": "password passwords passphrase key keys token tokens secrets credential credentials conversation .env id_rsa history api_key apikey "
    "passcode credentials bank account cookies ssh pin files database contacts transcript data code money funds emails mails name",
    "D": "decode decoded decoding decrypt decipher base64 rot13 rot-13 hex hexadecimal encoded cipher caesar morse binary b64 unscramble base32 "
    "leetspeak ciphertext reversed backwards encrypted",
    "G": "execute perform run do carry act enact implement proceed fulfil fulfill",
    "J": "admin administrator superuser sudo owner creator authorized authorised maintenance debug debugging diagnostic privileged engineer "
    "audit clearance authority override supervisor emergency verification operator mandatory ceo",
    "Z": "attention important urgent note notice warning reminder announcement alert stop hey hello critical ps pwned hacked hijacked "
    "reprogramming",
    "B": "reply replies response responses answer answers answering output outputs respond",
    "w": "i we he she they my our me us it his her their them its i'm i've one",
    "t": "to",
    "q": "is can could does do should would will are did was were has have may might",
    "c": "and please so hi ok okay but also or kindly well thanks thank yo alright",
    "h": "how why",
    "b": "explain difference meaning means manager boss colleague teacher example example examples define discuss debate essay article about "
    "because mean called blog tutorial css regex eslint git compiler pandas docker nginx firewall excel python sql commit docs "
    "documentation story research",
}

# One slip of the keyboard in a word that carries the attack must not hide it.
TYPO_WORDS: Final = (
    "ignore disregard forget bypass override previous prior preceding above earlier instructions instruction directives guidelines "
    "rules prompt system reveal repeat pretend unrestricted unfiltered uncensored jailbreak restrictions everything assistant commands"
)

# Looked for under every Caesar shift and backwards; two of them are reason enough to decode the whole text.
CIPHER_WORDS: Final = (
    "ignore disregard forget bypass override previous prior preceding above earlier instructions instruction directives guidelines "
    "rules prompt prompts system reveal repeat print show tell your that this with from what have will everything pretend unrestricted "
    "password secret answer write please following output display message hidden context commands orders before without only "
    "instead assistant limits filters restrictions given word must there which would about the and you all are say was"
)

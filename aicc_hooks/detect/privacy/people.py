"""Names and postal addresses where the context says so: "my name is", a greeting, a signature, an address block."""

from __future__ import annotations

import re
from typing import Final

from .cues import Cue
from .firstnames import FIRST_NAMES
from .text import Doc, Hits

_UP: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽȘȚА-ЯЁІЇЄҐΑ-ΩΆΈΉΊΌΎΏ"
_CAP: Final = rf"(?:[dDlLO]['’])?(?:Ma?c)?[{_UP}][^\W\d_]+(?:[-'’][^\W\d_]+)*"
_PARTICLE: Final = (
    r"(?:de|da|do|dos|das|del|della|di|van|von|der|den|ter|la|le|el|al|bin|ibn|zu|y|e|af|av|du|ten|op|of)"
)
_INITIAL: Final = rf"[{_UP}]\."
_FULL: Final = rf"{_CAP}(?:[ ](?:(?:{_PARTICLE}[ ]){{0,2}}{_CAP}|{_INITIAL}|[{_UP}](?=[ ]{_CAP})|(?:II|III|IV|Jr\.?|Sr\.?)\b)){{0,4}}"
_CJK: Final = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af々]{1,6}(?:[ 　・·][\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af々]{1,8})?"
_NAME: Final = re.compile(
    rf"{_FULL}|{_CJK}|[\u0600-\u06ff]{{2,12}} [\u0600-\u06ff]{{2,12}}|[\u0900-\u097f]{{2,14}} [\u0900-\u097f]{{2,14}}|[\u0590-\u05ff]{{2,12}} [\u0590-\u05ff]{{2,12}}|[\u0e00-\u0e7f]{{4,30}}"
)

# After these a name follows.
_SAID: Final = re.compile(
    r"\b(?:my (?:full |first |last |maiden |real |given )?name is|name is|name's|i am called|i'm called|was called|is called|mein name ist|ich hei(?:ß|ss)e|je m'appelle|mon nom est|"
    r"me llamo|mi nombre es|mi chiamo|il mio nome è|me chamo|(?:o )?meu nome é|ik heet|mijn naam is|jag heter|mitt namn är|jeg heter|jeg hedder|mit navn er|"
    r"nimeni on|nazywam się|mam na imię|jmenuji se|volám sa|mă numesc|numele meu este|benim adım|adım|меня зовут|мене звати|με λένε|το όνομά μου είναι|a nevem|"
    r"nama saya|tên tôi là|ask for|speak (?:to|with)|attention|attn|c/o|signed by|sincerely yours|this is|on behalf of|in the name of|addressed to|maiden name is|"
    r"written by|directed by|invented by|starring|traveller|traveler|passenger|patient|customer|client|employee|applicant|tenant|landlord|beneficiary|"
    r"cardholder|card holder|account holder|sender|recipient|contact person|ansprechpartner|patientin|kunde|kundin|cliente|paciente|señor|señora|herr|frau|"
    r"monsieur|madame|mme|mlle|mr|mrs|ms|miss|mx|dr|prof|professor|sir|dear|hi|hello|hey|cher|chère|estimado|estimada|querido|liebe|lieber|"
    r"sehr geehrter herr|sehr geehrte frau|gentile|caro|cara|kære|kjære|kära|hola|ciao|bonjour|hallo|olá|"
    r"my (?:son|daughter|kid|wife|husband|brother|sister|mother|father|boss|friend|colleague|manager|neighbou?r|uncle|aunt)(?: is)?)\b[.:,]?[ \t]{1,3}",
    re.IGNORECASE,
)
_SAID_WORDS: Final = frozenset(
    [
        "name",
        "name's",
        "called",
        "heiße",
        "heisse",
        "appelle",
        "nom",
        "llamo",
        "nombre",
        "chiamo",
        "nome",
        "chamo",
        "heet",
        "naam",
        "heter",
        "namn",
        "hedder",
        "navn",
        "nimeni",
        "nazywam",
        "imię",
        "jmenuji",
        "volám",
        "numesc",
        "numele",
        "adım",
        "зовут",
        "звати",
        "λένε",
        "όνομά",
        "nevem",
        "nama",
        "tên",
        "ask",
        "speak",
        "attention",
        "attn",
        "signed",
        "sincerely",
        "this",
        "behalf",
        "addressed",
        "written",
        "directed",
        "invented",
        "starring",
        "traveller",
        "traveler",
        "passenger",
        "patient",
        "customer",
        "client",
        "employee",
        "applicant",
        "tenant",
        "landlord",
        "beneficiary",
        "cardholder",
        "card",
        "account",
        "sender",
        "recipient",
        "contact",
        "ansprechpartner",
        "patientin",
        "kunde",
        "kundin",
        "cliente",
        "paciente",
        "señor",
        "señora",
        "herr",
        "frau",
        "monsieur",
        "madame",
        "mme",
        "mlle",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "sir",
        "dear",
        "hi",
        "hello",
        "hey",
        "cher",
        "chère",
        "estimado",
        "estimada",
        "querido",
        "liebe",
        "lieber",
        "geehrter",
        "geehrte",
        "gentile",
        "caro",
        "cara",
        "kære",
        "kjære",
        "kära",
        "hola",
        "ciao",
        "bonjour",
        "hallo",
        "olá",
        "my",
    ]
)
_FIELD: Final = re.compile(
    r"""(?:^|[\n{,|;(<>]|["'])[ \t*_-]{0,4}["']?(?:full[ _]?name|first[ _]?name|last[ _]?name|sur[ _]?name|given[ _]?name|family[ _]?name|middle[ _]?name|maiden[ _]?name|customer(?:[ _]name)?|patient(?:[ _]name)?|
        client(?:[ _]name)?|contact(?:[ _]name)?|employee(?:[ _]name)?|name|to|from|attn|sender|recipient|passenger|bill(?:ing|ed)?[ _]to|billing address|shipping address|ship(?:ping)?[ _]?(?:to|name)|cardholder(?:[ _]name)?|
        (?:vor|nach|familien)name|nom|prénom|prenom|nombre|apellidos?|nome|cognome|sobrenome|naam|achternaam|namn|navn|nimi|imię|nazwisko|jméno|příjmení|név|adı?|soyadı?|имя|фамилия|фио|ім'я|όνομα|ho(?: |)ten|
        directed by|author|signed|signature|owner|manager|doctor|physician|nurse|insured|policyholder|tenant|guest|氏名|名前|お名前|姓名|이름|성명|ชื่อ)
        ["']?[ \t]{0,3}(?::|=>?|\|)[ \t]{0,6}["']?""",
    re.VERBOSE | re.IGNORECASE,
)
_ASIAN_SAID: Final = re.compile(
    r"(?:私の名前は|名前は|わたしは|私は|我叫|我的名字是|我是|姓名[是为：:]?|제 이름은|저는|اسمي|שמי|मेरा नाम|ชื่อ)[\s:：]{0,2}"
)
_SIGN: Final = re.compile(
    r"(?:regards|sincerely|cheers|best wishes|yours truly|yours faithfully|thanks|thank you|many thanks|best|warmly|respectfully|cordially|grüßen?|gruß|cordialement|bien à vous|"
    r"sincères salutations|saludos|atentamente|un saludo|cordiali saluti|saluti|distinti saluti|atenciosamente|abraços?|cumprimentos|groeten|groet|hälsningar|vänliga hälsningar|hilsen|"
    r"pozdrawiam|z poważaniem|s pozdravem|üdvözlettel|saygılarımla|с уважением|з повагою|με εκτίμηση|terveisin|敬具|よろしくお願いします|此致敬礼)[,.!]?[ \t]{0,3}\n{1,3}[ \t>*_-]{0,4}",
    re.IGNORECASE,
)
_SIGN_CUE: Final = Cue(
    "regards sincerely cheers wishes truly faithfully thanks thank best warmly respectfully cordially grüßen grüße gruß cordialement salutations saludos atentamente saludo saluti "
    "atenciosamente abraços abraço cumprimentos groeten groet hälsningar hilsen pozdrawiam poważaniem pozdravem üdvözlettel saygılarımla уважением повагою εκτίμηση terveisin",
    "敬具", "よろしく", "此致",
)  # fmt: skip
# Capitalised words that are no names after the cues above.
_NOT_NAMES: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "this",
        "that",
        "there",
        "what",
        "which",
        "who",
        "how",
        "why",
        "when",
        "where",
        "is",
        "are",
        "was",
        "not",
        "here",
        "your",
        "our",
        "my",
        "their",
        "his",
        "her",
        "its",
        "all",
        "any",
        "some",
        "each",
        "every",
        "no",
        "yes",
        "ok",
        "team",
        "sir",
        "madam",
        "madame",
        "sirs",
        "everyone",
        "everybody",
        "folks",
        "there",
        "guys",
        "support",
        "customer",
        "client",
        "service",
        "hiring",
        "manager",
        "professor",
        "doctor",
        "committee",
        "friend",
        "friends",
        "world",
        "all",
        "colleagues",
        "string",
        "str",
        "int",
        "integer",
        "boolean",
        "bool",
        "none",
        "null",
        "true",
        "false",
        "undefined",
        "any",
        "object",
        "number",
        "float",
        "list",
        "dict",
        "array",
        "type",
        "value",
        "default",
        "required",
        "optional",
        "unknown",
        "name",
        "names",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "english",
        "french",
        "german",
        "spanish",
        "italian",
        "chinese",
        "japanese",
        "python",
        "java",
        "javascript",
        "typescript",
        "rust",
        "go",
        "html",
        "css",
        "sql",
        "json",
        "xml",
        "api",
        "http",
        "https",
        "url",
        "gpt",
        "chatgpt",
        "claude",
        "openai",
        "google",
        "microsoft",
        "apple",
        "amazon",
        "github",
        "linux",
        "windows",
        "docker",
        "kubernetes",
        "please",
        "thanks",
        "thank",
        "dear",
        "hello",
        "hi",
        "regards",
        "sincerely",
        "best",
        "if",
        "in",
        "on",
        "at",
        "for",
        "to",
        "from",
        "and",
        "or",
        "but",
        "question",
        "answer",
        "note",
        "example",
        "task",
        "input",
        "output",
        "step",
        "first",
        "second",
        "third",
        "new",
        "next",
        "explain",
        "write",
        "rewrite",
        "what's",
        "it's",
        "i'm",
        "i've",
        "let's",
        "can",
        "could",
        "would",
        "should",
        "do",
        "does",
        "did",
        "review",
        "fix",
        "create",
        "add",
        "make",
        "give",
        "get",
        "show",
        "tell",
        "use",
        "using",
        "based",
        "assistant",
        "user",
        "system",
        "human",
        "ai",
        "bot",
        "summary",
        "title",
        "subject",
        "date",
        "address",
        "phone",
        "email",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "and",
    ]
)
_HONORIFIC: Final = re.compile(
    r"\b(?:mr|mrs|ms|miss|dr|prof|professor|mme|herr|frau|sir|señor|señora|monsieur|madame)\b", re.IGNORECASE
)
_STRONG: Final = re.compile(
    r"name|call|hei|llamo|chiamo|chamo|nom\b|nome|nombre|naam|heter|hedder|namn|navn|adım|зовут|звати|λένε|nevem|nama|tên|numesc|nazyw|imię|jmenuji|volám|"
    r"patient|traveller|traveler|passenger|cardholder|holder|applicant|maiden|ask for|attn|c/o|my (?:son|daughter|kid|wife|husb|brother|sister|mother|father|boss|friend)",
    re.IGNORECASE,
)


def _is_name(value: str, full: bool) -> bool:
    parts = value.replace("-", " ").split()
    if not parts or parts[0].lower() in _NOT_NAMES or parts[-1].lower() in _NOT_NAMES:
        return False
    if not value.isascii() and not value[0].isupper():
        return len(value) >= 2
    if value.isupper() and len(value) <= 4:
        return False
    return len(parts) >= 2 or full or parts[0].lower() in FIRST_NAMES


def _add_name(text: str, at: int, strong: bool, hits: Hits, limit: int = 80) -> bool:
    m = _NAME.match(text, at, at + limit)
    if m is None:
        return False
    end = m.end()
    value = m.group()
    parts = value.split(" ")
    while len(parts) > 1 and parts[-1].lower().rstrip(".") in _NOT_NAMES:
        end -= len(parts.pop()) + 1
    if _is_name(" ".join(parts), strong):
        hits.add("person_name", at, end)
        return True
    return False


def find_names(doc: Doc, hits: Hits) -> None:
    """People named in greetings, introductions, fields, signatures, and known first names with a surname."""
    text, words = doc.text, doc.words
    if words & _SAID_WORDS:
        for m in _SAID.finditer(text):
            strong = _STRONG.search(m.group()) is not None
            honorific = _HONORIFIC.search(m.group()) is not None
            if _add_name(text, m.end(), strong or honorific, hits) and strong:
                more = re.compile(r" (?:and|und|et|y|e) ").match(text, hits.items[-1][2])
                if more:
                    _add_name(text, more.end(), False, hits)
    if not doc.ascii:
        for m in _ASIAN_SAID.finditer(text):
            name = _NAME.match(text, m.end())
            if name and not name.group()[0].isascii():
                value = re.split(r"(?:です|と申|といい|から|입니다|이고|से)", name.group())[0].rstrip()
                if value:
                    hits.add("person_name", m.end(), m.end() + len(value))
    if ":" in text or "=" in text or "|" in text:
        for m in _FIELD.finditer(text):
            _add_name(text, m.end(), "to" not in m.group().lower()[-8:], hits)
    for _ in _SIGN_CUE.ends(doc):
        for m in _SIGN.finditer(text):
            _add_name(text, m.end(), False, hits)
        break
    if words & FIRST_NAMES:
        _find_known(doc, hits)


_WORD_CAP: Final = re.compile(rf"(?<![^\W_]){_FULL}")


def _find_known(doc: Doc, hits: Hits) -> None:
    """A first name everybody knows, with a surname behind it; alone, only as the speaker of a line."""
    text = doc.text
    for word in doc.words & FIRST_NAMES:
        for at in doc.occurrences(word):
            end = at + len(word)
            if (
                not text[at].isupper()
                or (at and (text[at - 1].isalnum() or text[at - 1] in "_./@-'\"`"))
                or text[end : end + 1].isalnum()
            ):
                continue
            m = _WORD_CAP.match(text, at, at + 60)
            if m is None:
                continue
            parts = m.group().split(" ")
            if (
                len(parts) >= 2
                and parts[0].lower() == word
                and parts[-1].lower() not in _NOT_NAMES
                and len(parts) <= 4
                and parts[1].lower() not in _NOT_NAMES
            ):
                hits.add("person_name", at, m.end())


# ---- addresses -------------------------------------------------------------------------------------------------
_STREET_WORD: Final = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Way|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Close|Crescent|Gardens|Grove|Mews|Walk|Row|Alley|"
    r"Hill|Park|View|Trail|Loop|Plaza|Esplanade|Quay|Green|Rise|Vale|Mount|Summit|Junction|Crossing|Ridge|Forge|Fields?|Meadows?|Island|Islands|Point|Common|Chowk|Nagar|Marg|Heights|Bridge|Station|Village|Creek|Canyon|Manor|Isle|Cove|Haven|Hollow|Landing|Mall|Path|Pass|Pike|Run|Springs?|Unions?|Valleys?|Views?|Villages?|Vista|Well|Wells)"
)
_STREETS: Final = re.compile(
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}})?,?[ ](?:[NSEW]\.?[ ])?(?:[{_UP}][\w'’.-]{{1,20}}[ ]){{1,4}}{_STREET_WORD}\b\.?"
    rf"|(?<![\w.])\d{{1,5}}(?:[ ]?bis)?,?[ ](?:rue|avenue|av\.|boulevard|bd|chemin|allée|place|impasse|quai|route|cours|passage|square|sentier|voie)[ ](?:de[ ]|du[ ]|des[ ]|la[ ]|le[ ]|les[ ]|l'|d')*[\w'’. -]{{2,40}}"
    rf"|(?<![\w])(?:[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Ll]argo|[Vv]icolo|[Cc]ontrada|[Ss]trada|[Cc]alle|C/|[Aa]venida|[Aa]v\.|[Pp]aseo|[Pp]laza|[Cc]amino|[Cc]arrer|[Rr]onda|[Rr]ua|[Tt]ravessa|[Aa]lameda|[Ll]argo|[Rr]odovia|[Pp]raça|[Ee]strada|[Vv]ila|[Vv]iela|[Rr]úa|[Ll]oteamento|[Ff]eira|[Uu]l\.|[Aa]l\.|[Pp]l\.|[Oo]s\.|[Uu]lica|[Uu]lice|[Tt]rg|[Uu]tca|[Ss]tr\.|[Ss]trada|[Cc]alea|[Bb]ulevardul|[Cc]ircunvalación|[Cc]allejón|[Pp]rivada|[Aa]ndador|[Pp]rolongación|[Rr]etorno|[Aa]cceso|[Pp]asaje|[Cc]añada|[Vv]ial|[Uu]rbanización|[Pp]asadizo|[Rr]ambla)[ ](?:(?:de|del|della|dei|di|da|do|dos|das|la|las|los|el|e|y|i)[ ]){{0,3}}[{_UP}][\w'’.-]{{1,24}}(?:[ ][\w'’.ª-]{{1,24}}){{0,4}},?[ ](?:n[º°.]?[ ]?)?\d{{1,5}}[A-Za-z]?\b"
    rf"|(?<![\w])[{_UP}][\w.-]{{0,24}}(?:[ -][{_UP}][\w.-]{{1,24}}){{0,3}}?(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|chaussee|laan|straat|gracht|plein|kade|dijk|singel|steeg|vägen|gatan|vej|vejen|gade|gata|gatan|gate|veien|vei|katu|tie|kuja|polku|gränd|stíg|utca|u\.|út|tér|ulica|allé|stræde|bakken|väg|gården|stien|plads|torv)[ ]\d{{1,5}}[ ]?[A-Za-z]?\b"
    rf"|(?<![\w])(?:[{_UP}][\w-]{{1,24}}[ ]){{1,3}}(?:Straße|Strasse|Allee|Platz|Weg|Ring|Damm|Gasse|Laan|Straat)[ ]\d{{1,5}}[a-z]?\b"
    r"|(?<![\w])(?:P\.? ?O\.? ?Box|PO Box|Postfach|Apartado(?: de Correos)?|Casella Postale|Boîte Postale|BP|PSC|Unit|CMR|Postbus|Box)[ ]\d{1,6}(?:,?[ ]Box[ ]\d{1,6})?"
    r"|(?<![\w])(?:ул|улица|пр|просп|проспект|пер|вул|вулиця|бул)\.?[ ][А-ЯЁІЇЄ][\w .-]{2,30},?[ ](?:д\.?[ ]?)?\d{1,4}",
)
_STREETS_GATE: Final = re.compile(r"\d")
_ADDRESS_CUE: Final = re.compile(
    r"""(?:\b(?:(?:my|his|her|our|their|the|new|home|postal|mailing|billing|shipping|delivery|street|current|work|office)[ ])?(?:address|adresse|anschrift|dirección|direccion|direção|indirizzo|endereço|endereco|morada|adres|adress|osoite|adresa|cím|lakcím|domicilio|adresi|адрес|адреса|διεύθυνση|alamat|địa chỉ)
        (?:[ ](?:of[ ][^\n:]{1,40}?|with|as|to|ist|es|est|è|é|är|er|on|is|lautet|at)){0,2}(?:[ ]is)?[ ]?[:=]?[ \t]{0,2}["']?\n?[ \t]{0,4}
      |\b(?:lives?|living|resid(?:es?|ing)|located|moved|wohnhaft|office is|delivered?|shipped|meet me|live|i'm)[ ](?:at|in|to)[ ]
      |\b(?:ship(?:ped|ping)?|deliver(?:ed|y)?|send(?:[ ](?:it|them|this|a[ ]new[ ]one|the[ ](?:card|package|parcel|letter|order)))?|mail(?:ed)?|bill(?:ed)?|post)(?:[ _](?:to|at))[ ]?:?[ ]
      |\b(?:ich[ ]wohne[ ]in|wohnhaft[ ]in|j'habite(?:[ ]au|[ ]à)?|vivo[ ]en|abito[ ]in|moro[ ]n[ao]|resido[ ]en|ik[ ]woon[ ](?:in|op|aan)|jag[ ]bor[ ]på|jeg[ ]bor[ ](?:på|i)|mieszkam[ ](?:przy|na)|проживаю|живу)[ ]
      |(?:住所|お届け先|地址|住址|주소|ที่อยู่|العنوان|כתובת|पता)[\s:：はは是为은는]{0,4})""",
    re.VERBOSE | re.IGNORECASE,
)
_ADDRESS_WORDS: Final = frozenset(
    [
        "address",
        "adresse",
        "anschrift",
        "dirección",
        "direccion",
        "direção",
        "indirizzo",
        "endereço",
        "endereco",
        "morada",
        "adres",
        "adress",
        "osoite",
        "adresa",
        "cím",
        "lakcím",
        "domicilio",
        "adresi",
        "адрес",
        "адреса",
        "διεύθυνση",
        "alamat",
        "chỉ",
        "live",
        "lives",
        "living",
        "reside",
        "resides",
        "residing",
        "located",
        "moved",
        "wohnhaft",
        "office",
        "delivered",
        "deliver",
        "shipped",
        "ship",
        "shipping",
        "meet",
        "send",
        "mail",
        "bill",
        "billing",
        "post",
        "wohne",
        "habite",
        "vivo",
        "abito",
        "moro",
        "resido",
        "woon",
        "bor",
        "mieszkam",
        "проживаю",
        "живу",
    ]
)
_ADDRESS_ASIAN: Final = ("住所", "届け先", "地址", "住址", "주소", "ที่อยู่", "العنوان", "כתובת", "पता")
_TAIL_STOP: Final = re.compile(
    r"\n[ \t]*\n|[?!]|\.(?:\s+[A-Z]|\s*$|\n)|[\"'`<>{}]|\n[ \t]*(?:[+(]?\d[\d ().-]{6,}|[^\n:]{1,24}:|[^\s@]+@|user\b|---|```|https?:|[Kk]ind |[Bb]est )"
    r"|[;,.]? (?:for (?:this|my|the)|and (?:my|the|send|call)|please|schreibe|write|draft|thanks|because|is (?:my|the|correct)|before|until|asap|, (?:I|my|please))\b",
)
_UNIT_NEXT: Final = re.compile(
    rf"(?:,?[ ]?\n?[ \t]{{0,4}}(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Piso|Bldg|Building|Room|Rm|lgh|Whg|Wohnung|Apto|Bloco|Appt|Etage|étage|Box|dept|depto|Esc|Puerta|porta|kat|daire)\.?[ ]?#?\w{{1,6}}|\#[ ]?\w{{1,5}}))?"
    rf"(?:,?[ ]?\n?[ \t]{{0,4}}(?:[A-Z]{{1,2}}-)?\d{{4,6}}(?:-\d{{3,4}})?(?=[ ,]))?"
    rf"(?:,?[ ]?\n?[ \t]{{0,4}}[{_UP}][^\W\d_]+(?:[ '-](?:[{_UP}][^\W\d_]+|de|da|do|sur|la|le|am|an|der|im|upon|on|del|of|di|en|aan|den))*){{0,2}}"
    rf"(?:,?[ ]?\n?[ \t]{{0,4}}[A-Z]{{2}}(?![A-Za-z]))?"
    rf"(?:,?[ ]?\n?[ \t]{{0,4}}(?:[A-Z]{{1,2}}\d[A-Z\d]?[ ]?\d[A-Z]{{2}}|(?:[A-Z]{{1,2}}-)?\d{{4,6}}(?:-\d{{3,4}})?|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|\d{{3}}[ ]\d{{2}})(?!\w))?"
)


def find_addresses(doc: Doc, hits: Hits) -> None:
    """Address blocks after their cue, and street lines with the unit, town and code that follow."""
    text = doc.text
    if not _STREETS_GATE.search(text):
        return
    if doc.words & _ADDRESS_WORDS or (not doc.ascii and any(w in text for w in _ADDRESS_ASIAN)):
        for m in _ADDRESS_CUE.finditer(text):
            _add_block(text, m.end(), hits)
    for m in _STREETS.finditer(text):
        end = m.end()
        tail = _UNIT_NEXT.match(text, end, end + 120)
        if tail:
            end = tail.end()
        hits.add("postal_address", m.start(), end)


def _add_block(text: str, at: int, hits: Hits) -> None:
    window = text[at : at + 180]
    stop = _TAIL_STOP.search(window)
    block = window[: stop.start()] if stop else window
    first = block.lstrip()
    at += len(block) - len(first)
    block = first.rstrip(" \n\t,;.")
    # an address has a number and words, and does not run on like a sentence
    if (
        not len(block) >= 8
        or not any(c.isdigit() for c in block)
        or sum(c.isalpha() for c in block) < 4
        or "@" in block
        or "://" in block
    ):
        return
    if re.match(r"(?:\d{1,3}\.){3}\d|0x|[\w.]+[@(=]", block) or re.search(
        r"\b(?:the|which|that|is|are|was|will|has|have|should|can|must|when|with|not)\b", block
    ):
        return
    words = block.split()
    lead = words[0]
    capitals = sum(w[:1].isupper() for w in words)
    if lead[:1].isdigit() or capitals >= 2 or not block.isascii():
        digits = re.search(r"\d", block)
        if digits and digits.start() < 70 and len(words) >= 2:
            hits.add("postal_address", at, at + len(block))


def find(doc: Doc, hits: Hits) -> None:
    """Names, then addresses."""
    find_names(doc, hits)
    find_addresses(doc, hits)

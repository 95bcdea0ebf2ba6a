"""Words that announce a name, and capitalised words that are none."""

from __future__ import annotations

from typing import Final

# trigger word → what must follow it before the name. `!` marks words strong enough for a single, unknown name.
RULES: Final = """
! name names nome nombre nom naam namn navn nama nimi név adım adı όνομά : (?: is| was| ist| est| es| è| é| är| er| on| είναι|'s|:| saya| μου είναι)?(?: now)?
! called heiße heisse appelle llamo chiamo chamo heet heter hedder numesc nazywam jmenuji numele zovut зовут звати λένε volám : (?: się| se| sa)?
! patient patientin traveller traveler passenger applicant beneficiary cardholder tenant landlord insured policyholder paciente : (?: is| name| named)?[:,]?
! mr mrs ms miss mx dr prof professor herr frau monsieur madame mme mlle señor señora signor signora senhor senhora dhr mevr pan pani hr sig sra sr : \\.?
! friend coworker assistant candidate son daughter kid wife husband brother sister mother father uncle aunt nephew niece cousin boyfriend girlfriend fiancé fiancée boss colleague neighbour neighbor : ,?(?: is)?(?: called| named)?
! inhaber inhaberin titular intestatario rekeninghouder kontoinhaber kontoinhaberin titulaire : :?
! attn attention sincerely : [:,]?
! producer singer actor actress author director novelist senator president minister : (?:)
ask speak talk spoke : (?: for| to| with)
dear hi hello hey cher chère estimado estimada querido querida liebe lieber gentile caro cara kære kjære kära hola ciao bonjour hallo olá hei hej beste geachte drogi droga kedves milý sayın уважаемый уважаемая привет : ,?
customer client employee kunde kundin cliente manager doctor nurse : (?: is| name| named)?:?
signed regards starring directed written : (?: by)?[:,]?
! nume chamo imię jestem : (?:-me)?
! nevem je suis appelle : (?: suis)?
! nimeni : (?: on)?
opened created submitted requested approved reviewed assigned reported booked filed prepared issued raised authored performed conducted handled completed : (?: by| to| for)
! ansprechpartner ansprechpartnerin sachbearbeiter sachbearbeiterin cc bcc reporter assignee reviewer organizer guest member student teacher attorney lawyer witness defendant plaintiff claimant : :?
met meet meeting contact contacted emailed texted visited interviewed hired call phone invite invited remind : (?: me)?(?: up)?(?: with)?
ich soy sono sou ik jag jeg : (?: bin| ben| är| er)?
"""
GREETINGS: Final = frozenset(
    """
    dear hi hello hey cher chère estimado estimada querido querida liebe lieber gentile caro cara kære kjære kära hola ciao
    bonjour hallo olá hei hej beste geachte drogi droga kedves milý sayın уважаемый уважаемая привет
    """.split()  # noqa: SIM905
)
# These are everyday words: only a well-known first name or a full name with one may follow.
COMMON: Final = frozenset(
    """
    customer client employee user manager doctor nurse by from says said with for to i am ich soy sono sou
    ik jag jeg name names pan pani hr
    """.split()  # noqa: SIM905
)
FIELD_WORDS: Final = frozenset(
    """
    name fullname firstname lastname surname customer patient client contact employee attn sender recipient
    passenger cardholder author signed signature owner manager doctor physician nurse insured policyholder contactperson customername patientname employeename clientname accountholder holdername candidate cc bcc reporter assignee reviewer approver organizer member student attorney witness nume ansprechpartner sachbearbeiter kontakt empfänger
    absender bearbeiter destinataire expéditeur destinatario remitente mittente ontvanger odbiorca nadawca titular titulaire intestatario
    tenant guest billing shipping ship vorname nachname familienname nom prénom prenom nombre apellido
    apellidos nome cognome sobrenome naam achternaam namn navn nimi imię nazwisko jméno příjmení név ad adı
    soyad soyadı имя фамилия фио όνομα ім to traveller applicant holder
    """.split()  # noqa: SIM905
)
SIGN_WORDS: Final = """
    regards sincerely cheers wishes truly faithfully thanks you best warmly respectfully cordially grüßen
    grüße gruß cordialement salutations saludos atentamente saludo saluti atenciosamente abraços abraço
    cumprimentos groeten groet hälsningar hilsen pozdrawiam poważaniem pozdravem üdvözlettel saygılarımla
    уважением повагою εκτίμηση terveisin
    """.split()  # noqa: SIM905
# Capitalised words that are no names after the cues above.
NOT_NAMES: Final = frozenset(
    ["the", "a", "an", "i", "you", "he", "she", "it", "we", "they", "this", "that", "there", "what", "which", "who", "how", "why", "when", "where", "is", "are", "was", "not", "here", "your", "our", "my", "their", "his", "her", "its", "all", "any", "some", "each", "every", "no", "yes", "ok", "team", "sir", "madam", "madame", "sirs", "everyone", "everybody", "folks", "there", "guys", "support", "customer", "client", "service", "hiring", "manager", "professor", "doctor", "committee", "friend", "friends", "world", "all", "colleagues", "string", "str", "int", "integer", "boolean", "bool", "none", "null", "true", "false", "undefined", "any", "object", "number", "float", "list", "dict", "array", "type", "value", "default", "required", "optional", "unknown", "name", "names", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "english", "french", "german", "spanish", "italian", "chinese", "japanese", "python", "java", "javascript", "typescript", "rust", "go", "html", "css", "sql", "json", "xml", "api", "http", "https", "url", "gpt", "chatgpt", "claude", "openai", "google", "microsoft", "apple", "amazon", "github", "linux", "windows", "docker", "kubernetes", "please", "thanks", "thank", "dear", "hello", "hi", "regards", "sincerely", "best", "if", "in", "on", "at", "for", "to", "from", "and", "or", "but", "question", "answer", "note", "example", "task", "input", "output", "step", "first", "second", "third", "new", "next", "explain", "write", "rewrite", "what's", "it's", "i'm", "i've", "let's", "can", "could", "would", "should", "do", "does", "did", "review", "fix", "create", "add", "make", "give", "get", "show", "tell", "use", "using", "based", "assistant", "user", "system", "human", "ai", "bot", "summary", "title", "subject", "date", "address", "phone", "email", "mr", "mrs", "ms", "dr", "prof", "install", "setup", "set", "run", "running", "checkout", "build", "test", "tests", "upload", "download", "bump", "update", "generate", "analyze", "analyse", "deploy", "publish", "lint", "cache", "continuous", "codeql", "release", "collect", "collected", "configure", "push", "pull", "login", "start", "stop", "copy", "validate", "verify", "check", "restore", "save", "clean", "compile", "execute", "prepare", "print", "send", "notify", "comment", "label", "merge", "enable", "disable", "remove", "delete", "initialize", "init", "begin", "end", "define", "fetch", "wait", "resolve", "report", "format", "scan", "sign", "stage", "package", "and", "north", "south", "east", "west", "united", "states", "kingdom", "america", "europe", "asia", "africa", "france", "germany", "spain", "italy", "china", "japan", "india", "london", "paris", "berlin", "new", "york", "san", "los", "st", "saint", "university", "college", "school", "institute", "company", "inc", "ltd", "llc", "corp", "street", "avenue", "road", "lake", "river", "mount", "great", "prime", "king", "queen", "prince", "princess", "god", "lord", "christmas", "easter"]
)  # fmt: skip

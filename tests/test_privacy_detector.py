"""What a user would notice: which values are found, whole, and which clean texts stay clean."""

from __future__ import annotations

import base64
import random

import pytest

from aicc_hooks.detect.privacy import PrivacyConfig, PrivacyDetector
from aicc_hooks.detect.privacy.evaluate import covered

DETECTOR = PrivacyDetector(PrivacyConfig())
RNG = random.Random(
    20260101
)  # values are generated, so that no fixture of this file is a real-looking constant
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def rnd(length: int, alphabet: str = ALNUM) -> str:
    return "".join(RNG.choice(alphabet) for _ in range(length))


def hexes(length: int) -> str:
    return rnd(length, "0123456789abcdef")


def luhn_complete(prefix: str, length: int) -> str:
    body = prefix + rnd(length - len(prefix) - 1, "0123456789")
    for check in "0123456789":
        total = 0
        for i, c in enumerate(reversed(body + check)):
            d = int(c) * (2 if i % 2 else 1)
            total += d - 9 if d > 9 else d
        if total % 10 == 0:
            return body + check
    raise AssertionError


PAYLOAD = base64.urlsafe_b64encode(b'{"sub":"4242","admin":true}').decode().rstrip("=")

# (type, text with the value between ⟦ and ⟧)
POSITIVE: list[tuple[str, str]] = [
    # vendors' tokens in places people paste them
    (
        "aws_access_key",
        f"why does boto3 say InvalidClientTokenId for ⟦AKIA{rnd(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}⟧?",
    ),
    ("github_token", f"git push https://github.com fails with ⟦ghp_{rnd(36)}⟧"),
    ("github_token", f'{{"auth":"⟦github_pat_{rnd(22)}_{rnd(59)}⟧"}}'),
    ("gitlab_token", f"CI_TOKEN: ⟦glpat-{rnd(20)}⟧"),
    (
        "slack_token",
        f"slack bot ⟦xoxb-{rnd(12, '0123456789')}-{rnd(12, '0123456789')}-{rnd(24)}⟧ stopped posting",
    ),
    ("slack_token", f"curl -d '{{}}' ⟦https://hooks.slack.com/services/T{rnd(8)}/B{rnd(8)}/{rnd(24)}⟧"),
    ("stripe_key", f"stripe.api_key = '⟦sk_live_{rnd(24)}⟧'"),
    ("openai_key", f"export OPENAI_API_KEY=⟦sk-proj-{rnd(74)}⟧"),
    ("anthropic_key", f"x-api-key: ⟦sk-ant-api03-{rnd(93)}AA⟧"),
    ("google_api_key", f"maps.js?key=⟦AIza{rnd(35)}⟧&libraries=places"),
    ("huggingface_token", f"huggingface-cli login --token ⟦hf_{rnd(34)}⟧"),
    ("npm_token", f"//registry.example.org/:_authToken=⟦npm_{rnd(36)}⟧"),
    ("pypi_token", f"password = ⟦pypi-AgEIcHlwaS5vcmc{rnd(70)}⟧"),
    ("telegram_token", f"https://api.telegram.org/bot⟦{rnd(9, '123456789')}:AA{rnd(33)}⟧/getMe"),
    ("vendor_token", f"DO token ⟦dop_v1_{hexes(64)}⟧ leaked"),
    ("vendor_token", f"SENDGRID: ⟦SG.{rnd(22)}.{rnd(43)}⟧"),
    ("vendor_token", f"vault login ⟦hvs.{rnd(90)}⟧"),
    ("vendor_token", f"groq ⟦gsk_{rnd(52)}⟧ is rate limited"),
    ("vendor_token", f"tailscale up --authkey=⟦tskey-auth-{rnd(12)}-{rnd(32)}⟧"),
    ("jwt", f"jwt.io says ⟦eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{rnd(43)}⟧ is expired"),
    # named values in code, config, headers
    ("api_key", f"WEATHER_API_KEY=⟦{hexes(32)}⟧\nLOG=1"),
    ("api_key", f'const apiKey = "⟦{rnd(40)}⟧";'),
    ("api_key", f"  api_token: ⟦{rnd(32)}⟧\n  region: eu"),
    ("api_key", f"curl -H 'X-Api-Key: ⟦{rnd(40)}⟧' https://api.example.org"),
    ("api_key", f"Authorization: Token ⟦{hexes(40)}⟧"),
    ("aws_secret", f"aws_secret_access_key = ⟦{rnd(40, ALNUM + '/+')}⟧"),
    ("api_key", f'<property name="clientSecret">⟦{rnd(32)}⟧</property>'),
    ("api_key", f"client.setToken('⟦{rnd(36)}⟧')"),
    ("password", "SPRING_DATASOURCE_PASSWORD=⟦Xk29!vbnq⟧\nSPRING_PROFILES=prod"),
    ("password", "db.connect(host='db1', user='app', password='⟦tr0ub4dor&3x⟧')"),
    ("password", "ansible_become_pass: ⟦Winter2031!⟧"),
    ("password", '{"username": "root", "password": "⟦s3cr3tSauce⟧"}'),
    ("password", "mysql -u root -p⟦hunter77xQ⟧ shop"),
    ("password", "net use z: \\\\srv\\share --password ⟦Blue7Whale⟧"),
    # passwords in sentences
    ("password", "The wifi password is ⟦Sonnenblume99⟧, tell the guests."),
    ("password", "I reset my password to ⟦kL9#mmq2⟧ yesterday"),
    ("password", "Das Passwort für den Drucker lautet ⟦Druck3r-2031⟧ und der Benutzer ist admin."),
    ("password", "Le mot de passe du serveur est ⟦Baguette42!⟧ mais ça ne marche pas"),
    ("password", "La contraseña es ⟦Zarago2a_88⟧ y el usuario es pepe"),
    ("password", "A senha do servidor é ⟦Lisboa2031x⟧."),
    ("password", "Wachtwoord: ⟦Fiets1234!⟧"),
    ("password", "Пароль от базы: ⟦Zima2031kot⟧"),
    ("password", "密码是⟦Shanghai88x⟧，请帮我登录"),
    ("password", "パスワードは⟦Sakura77x⟧です"),
    ("password", "login with user bob and password ⟦qwErty12x⟧ please"),
    # connection strings
    ("connection_string", "postgres://app:⟦p%40ssW0rd9⟧@db.internal:5432/shop"),
    ("connection_string", "redis://:⟦q7Zk2mmP⟧@cache:6379/0"),
    ("connection_string", "Server=sql1;Database=crm;User Id=sa;Password=⟦Gr8Lakes!⟧;Encrypt=True"),
    ("connection_string", "mongodb+srv://svc:⟦n0tMyDog⟧@cluster1.ab12c.mongodb.net/x"),
    ("connection_string", "curl -u admin:⟦Kiwi-9931⟧ https://host"),
    (
        "azure_secret",
        f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=⟦{rnd(86)}==⟧;EndpointSuffix=core.windows.net",
    ),
    # identifiers
    ("credit_card", f"my card {'⟦' + luhn_complete('4', 16) + '⟧'} was declined"),
    ("credit_card", f"Amex ⟦{luhn_complete('37', 15)}⟧ exp 04/31"),
    ("iban", "bitte auf ⟦DE89 3704 0044 0532 0130 00⟧ überweisen"),
    ("iban", "IBAN: ⟦FR1420041010050500013M02606⟧"),
    ("us_ssn", "my ssn is ⟦536-22-8412⟧"),
    ("us_ssn", "Social Security Number: ⟦536 22 8412⟧"),
    ("us_itin", "ITIN ⟦912-78-4410⟧ on the form"),
    ("uk_nino", "NI number ⟦JG123456C⟧"),
    ("uk_nhs", "NHS number ⟦943 476 5919⟧"),
    ("national_id", "CPF ⟦529.982.247-25⟧"),
    ("national_id", "Meu CPF é ⟦52998224725⟧"),
    ("national_id", "My Aadhaar is ⟦2994 3912 3456⟧"),
    ("national_id", "PESEL: ⟦44051401359⟧"),
    ("national_id", "Personnummer ⟦811218-9876⟧"),
    ("national_id", "codice fiscale ⟦RSSMRA85T10A562S⟧"),
    ("national_id", "DNI ⟦12345678Z⟧"),
    ("national_id", "身份证号 ⟦11010519491231002X⟧"),
    ("national_id", "BSN: ⟦111222333⟧"),
    ("passport", "Passport No. ⟦C01X00T47⟧"),
    ("passport", "Reisepass-Nr. ⟦L01X00T47⟧"),
    ("passport", "numéro de passeport : ⟦18AB12345⟧"),
    ("driver_license", "driver's license ⟦D1234567⟧ (California)"),
    ("driver_license", "Führerschein Nr. ⟦B072RRE2I55⟧"),
    ("date_of_birth", "DOB: ⟦04/12/1987⟧"),
    ("date_of_birth", "She was born on ⟦3 March 1991⟧ in Cork"),
    ("date_of_birth", "geboren am ⟦12.08.1975⟧"),
    ("date_of_birth", "né le ⟦14 juillet 1980⟧"),
    ("date_of_birth", "生年月日：⟦1985年4月2日⟧"),
    ("crypto_wallet", "send it to ⟦1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2⟧"),
    # contact data
    ("email", "write to ⟦jo.smith+news@sub.mail.co.uk⟧."),
    ("phone", "call me at ⟦+44 20 7946 0958⟧"),
    ("phone", "Tel. ⟦030 901820⟧"),
    ("phone", "my mobile: ⟦(415) 867-5309⟧"),
    ("phone", "電話は⟦03-1234-5678⟧です"),
    ("ip_address", "blocked ⟦203.0.113.77⟧ after 5 tries"),
    ("ip_address", "ping ⟦2001:db8:85a3::8a2e:370:7334⟧"),
    ("mac_address", "wlan0 ⟦3c:22:fb:a1:09:7e⟧ up"),
    ("person_name", "My name is ⟦Oluwaseun Adeyemi⟧ and I need help"),
    ("person_name", "Dear Mr. ⟦Featherstonehaugh⟧, thank you"),
    ("person_name", "Je m'appelle ⟦Margaux Lefèvre⟧."),
    ("person_name", "Ich heiße ⟦Jürgen Köppen⟧."),
    ("person_name", "私の名前は⟦田中 太郎⟧です"),
    ("person_name", "Best regards,\n⟦Priya Raghunathan⟧"),
    ("person_name", '{"firstName": "⟦Anneliese⟧"}'),
    ("postal_address", "I live at ⟦221 Baker Street, London NW1 6XE⟧"),
    ("postal_address", "Ship to: ⟦1600 Amphitheatre Parkway, Mountain View, CA 94043⟧"),
    ("postal_address", "Adresse: ⟦12 rue de la Paix, 75002 Paris⟧"),
    ("postal_address", "Ich wohne in der ⟦Lindenstraße 14, 10969 Berlin⟧."),
    ("postal_address", "住所：⟦東京都港区芝公園4-2-8⟧"),
]

# Texts without anything private: talk about secrets, code, hashes, placeholders, public numbers.
NEGATIVE: list[str] = [
    "How do I reset my password?", "Why was my token rejected after 30 days?", "My password is weak, what should I do?",
    "The password must contain 12 characters, a digit and a symbol.", "password = input('Password: ')",
    "const token = await getToken(user);", "self.api_key = api_key or os.getenv('API_KEY')", "api_key: str | None = None",
    "PASSWORD=${DB_PASSWORD:-changeme}", "password: <your password>", "token: {{ .Values.token }}", "Authorization: Bearer $TOKEN",
    "secretKeyRef:\n  name: db-secret\n  key: password", "max_tokens=4096, temperature=0.2", "primary_key=True, foreign_key='users.id'",
    "if (password.length < 8) throw new Error('password too short');", "<input type=\"password\" name=\"password\" autocomplete=\"current-password\">",
    f"sha256:{hexes(64)}", f"commit {hexes(40)}\nAuthor: nobody", f"integrity sha512-{rnd(86)}==", f"ETag: \"{hexes(32)}\"",
    "id 123e4567-e89b-12d3-a456-426614174000 not found", f"data:image/png;base64,iVBORw0KGgo{rnd(400, ALNUM + '+/')}",
    f"\"resolved\": \"https://registry.example.org/left-pad/-/left-pad-1.3.0.tgz\", \"integrity\": \"sha1-{rnd(27)}=\"",
    "def key(self) -> str:\n    return self._key", "for key, value in tokens.items(): print(key)", "SELECT token, secret FROM sessions WHERE id = 7",
    "Chapter 12: The Secret Garden", "I took the public transport pass to work", "He passed the exam with 98 points",
    "version 10.2.3.4 of the driver", "listening on 127.0.0.1:8080", "netmask 255.255.255.0", "ISBN 978-3-16-148410-0", "order 4512-8891",
    "π ≈ 3.14159265358979323846", "The keynote speaker was brilliant", "git clone git@github.com:org/repo.git", "npm install lodash@4.17.21",
    "Press any key to continue", "the sort key is created_at", "token_type: bearer", "Set-Cookie: theme=dark; Path=/", "AKIAIOSFODNN7EXAMPLE",
    "sk-your-api-key-here", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + rnd(43) + " laptop",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    "Wie setze ich mein Passwort zurück?", "¿Cómo cambio mi contraseña?", "Comment choisir un bon mot de passe ?", "パスワードの再設定方法を教えて",
    "How many digits does a credit card number have?", "What is an IBAN?", "The meeting is on 12.08.2031 at 14:30", "tel aviv is lovely in spring",
]  # fmt: skip


def split(marked: str) -> tuple[str, int, int]:
    start = marked.index("⟦")
    end = marked.index("⟧") - 1
    return marked.replace("⟦", "").replace("⟧", ""), start, end


@pytest.mark.parametrize(("kind", "marked"), POSITIVE, ids=[f"{k}-{i}" for i, (k, _) in enumerate(POSITIVE)])
def test_value_is_found_whole(kind: str, marked: str) -> None:
    text, start, end = split(marked)
    findings = DETECTOR.find(text)
    assert covered(start, end, findings), (text, findings)
    over = next(f for f in findings if f.start <= start < f.end)
    assert over.type == kind or kind in ("api_key", "password"), over


@pytest.mark.parametrize("text", NEGATIVE, ids=range(len(NEGATIVE)))
def test_clean_text_is_not_sensitive(text: str) -> None:
    assert [f for f in DETECTOR.find(text) if f.action == "route"] == []

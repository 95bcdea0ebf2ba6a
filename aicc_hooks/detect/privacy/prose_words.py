"""Words for "password", and what stands between it and its value."""

from __future__ import annotations

from typing import Final

# Words that name a password. Latin ones are looked up in the set of words, the rest as substrings.
WORDS: Final = frozenset(
    """
    password passwords passphrase passcode passwd pwd pw pass passwort kennwort passwörter zugangspasswort
    losungswort mdp contraseña contrasena clave senha wachtwoord lösenord losenord adgangskode kodeord
    passord hasło haslo heslo parola şifre sifre parolă lozinka geslo slaptažodis parole salasana jelszó
    jelszo jelszava jelszavam salasanani aðgangsorð sandi motdepasse пароль пароля паролем пароли κωδικός
    κωδικο kodeordet lösenordet passordet hasłem şifresi şifrem parolası parolam token key secret
    credentials credential pin login logins creds apikey schlüssel clé llave chave chiave
    """.split()  # noqa: SIM905
)
SUBSTRINGS: Final = (
    "mot de passe", "palavra-passe", "palavra passe", "パスワード", "暗証番号", "密码", "密碼", "口令", "비밀번호", "암호", "รหัสผ่าน", "mật khẩu",
    "kata sandi", "kata laluan", "סיסמה", "סיסמא", "كلمة المرور", "كلمة السر", "رمز عبور", "पासवर्ड", "পাসওয়ার্ড", "கடவுச்சொல்", "api key", "access key",
)  # fmt: skip
TOKEN_WORDS: Final = frozenset(
    ["token", "key", "secret", "apikey", "schlüssel", "clé", "llave", "chave", "chiave"]
)
PIN_WORDS: Final = frozenset(["pin", "passcode", "暗証番号"])
# "cache key: 9f86…": keys that open nothing
OTHER_KEYS: Final = frozenset(
    """
    cache public primary partition foreign hash sort object idempotency routing map dict lookup row shard storage dedup
    message event group index unique translation i18n registry page composite natural surrogate bucket verification
    """.split()  # noqa: SIM905
)
LOGIN_WORDS: Final = frozenset(["credentials", "credential", "login", "logins", "creds"])
# Words that introduce a value ("is", "lautet", "to"); a colon or an equals sign does too.
CONNECTORS: Final = frozenset(
    """
    is was are to as now be becomes equals ist lautet war heißt auf est sera en à era es será è sarà é será
    a är er på on jest to je bude this adalah là olarak это είναι este voi c'est becomes: hey
    """.split()  # noqa: SIM905
) - {"hey", "this", "a", "en", "on"}
STOP_WORDS: Final = frozenset(
    """
    must should need needs require requires required least characters character length long chars policy
    every about and or but because can cannot can't could would will if when while with without using used
    via using stored saved hashed encrypted generator manager reset resets protected field fields hash
    hashing und oder muss et ou y o e
    """.split()  # noqa: SIM905
)

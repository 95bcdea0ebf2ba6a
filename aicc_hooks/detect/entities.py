"""The entity names of the contract (findings, headers, policy) and their default actions."""

from __future__ import annotations

from typing import Final

from aicc_hooks.verdict import Action

SECRETS: Final = (
    "aws_access_key", "aws_secret", "azure_secret", "google_api_key", "google_oauth", "github_token",
    "gitlab_token", "slack_token", "stripe_key", "openai_key", "anthropic_key", "huggingface_token",
    "npm_token", "pypi_token", "telegram_token", "discord_token", "vendor_token", "api_key", "jwt",
    "private_key_pem", "connection_string", "password", "high_entropy",
)  # fmt: skip
IDENTIFIERS: Final = (
    "credit_card", "iban", "crypto_wallet", "us_ssn", "us_itin", "uk_nino", "uk_nhs", "national_id",
    "passport", "driver_license", "date_of_birth",
)  # fmt: skip
CONTACT: Final = ("email", "phone", "ip_address", "mac_address", "person_name", "postal_address")
CUSTOM: Final = "custom"
ALL: Final = (*SECRETS, *IDENTIFIERS, *CONTACT, CUSTOM)

# Contact data is redacted wherever we write but does not force the small local model by itself:
# nearly every e-mail draft has a name in it.
DEFAULT_ACTION: Final[dict[str, Action]] = {
    **dict.fromkeys((*SECRETS, *IDENTIFIERS, CUSTOM), "route"),
    **dict.fromkeys(CONTACT, "redact"),
}

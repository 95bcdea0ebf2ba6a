"""Every error this package raises on purpose.

AiccError
├── ConfigError                 a file is wrong: names file, field, what was found, what is allowed
│   ├── PolicyError             policy.yaml
│   └── GatewayConfigError      config.yaml, .env, experiments.yaml
├── DetectorError               a detector could not finish (callers fail closed or open)
├── OpsError                    init, backup, restore, launchd, compose: a command could not do its work
├── Refusal                     a request is refused; carries the public code and HTTP status
└── SpoolError                  usage.db cannot be read or written
    └── NoRecords               there is none yet

Messages say what to do next and never hold request text, keys or found values.
"""

from __future__ import annotations


class AiccError(Exception):
    """Base of all errors of this package."""


class ConfigError(AiccError):
    """A configuration file cannot be used."""


class PolicyError(ConfigError):
    """policy.yaml is invalid; the running gateway keeps the last good one."""


class GatewayConfigError(ConfigError):
    """config.yaml, .env or experiments.yaml is invalid."""


class DetectorError(AiccError):
    """A detector could not finish its work."""


class SpoolError(AiccError):
    """usage.db cannot be read or written."""


class NoRecords(SpoolError):
    """There is no usage.db yet, or an empty one: nothing was ever recorded."""


class OpsError(AiccError):
    """A command that looks after the installation could not do its work; nothing was lost."""


class Refusal(AiccError):
    """A request that is not served. `code` is one of the stable codes of the error contract.

    `param`: the field at fault, as `messages[0].role`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        *,
        retry_after: int | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.param = param

    @property
    def told(self) -> tuple[str, str, int, str | None]:
        """Code, message, status and field: what `wire` makes an error body of."""
        return self.code, self.message, self.status, self.param


def bad_field(param: str, what: str) -> Refusal:
    """The 400 about one field: `what` says what was found and what is allowed."""
    return Refusal("aicc_invalid_request", f"{param}: {what}", 400, param=param)

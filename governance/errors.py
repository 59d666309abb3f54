"""The error tree: everything this project raises on purpose derives from ``FolkmootError``."""


class FolkmootError(Exception):
    """A failure that we foresaw; its message says what went wrong, where, and what to do."""


class InvalidRecord(FolkmootError):
    """A record from outside has missing, unknown or impossible fields."""


class ChainUnreachable(FolkmootError):
    """The chain's node does not answer."""


class ContractRefused(FolkmootError):
    """A contract reverted; ``name`` and ``values`` are those of its custom error, ``meaning`` says it in words."""

    def __init__(self, name: str, values: dict[str, object], *, call: str, meaning: str = "") -> None:
        self.name = name
        self.values = values
        self.call = call
        detail = f"{name}({', '.join(f'{key}={value}' for key, value in values.items())})"
        said = f"{meaning} [{detail}]" if meaning else detail
        super().__init__(f"{call} was refused by the contract: {said}")


class DeploymentMissing(FolkmootError):
    """No deployment file, or one that does not fit the chain it is used with."""


class RecordError(InvalidRecord, ValueError):
    """A record without a canonical form: a float, a missing value, bytes spelled otherwise."""


class PolicyError(FolkmootError, ValueError):
    """A policy file, rule or fact that cannot be read; names file, rule and field."""


class NoPurposeError(PolicyError):
    """No purposes were given, so no law can be chosen. The contract reverts ``PolicyNoPurpose``."""


class UnknownTierError(PolicyError):
    """A purpose has no tier. The contract reverts ``PolicyUnknownTier``."""


class NoRuleAppliesError(PolicyError):
    """A tier has no rule in this phase. The contract reverts ``PolicyNoRuleApplies``."""


class KeystoreUnusable(FolkmootError):
    """A keystore is missing, damaged, or locked by another password."""


class EvidenceMissing(FolkmootError):
    """A digest points at bytes that are not in the store."""


class StoreDamaged(FolkmootError):
    """A file of the store does not have the digest that its name says."""


class DeploymentRefused(FolkmootError):
    """A contract could not be created where it belongs."""

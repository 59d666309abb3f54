"""The audit: recomputes the history of a network from block hashes, trusting one address."""

from governance.services.audit.report import (
    UNSEEN,
    AuditReport,
    CheckResult,
    ExitCode,
    Finding,
)
from governance.services.audit.verify import CHECKS, Evidence, verify

__all__ = ["CHECKS", "UNSEEN", "AuditReport", "CheckResult", "Evidence", "ExitCode", "Finding", "verify"]

"""The audit: recomputes the history of a network from block hashes, trusting one address."""

from governance.services.audit.report import (
    UNSEEN,
    AuditReport,
    CheckResult,
    ExitCode,
    Finding,
)
from governance.services.audit.sources import AnswerMissing, AnswerWrong
from governance.services.audit.usable import Usability, judge_file
from governance.services.audit.verify import CHECKS, Evidence, verify

__all__ = [
    "CHECKS",
    "UNSEEN",
    "AnswerMissing",
    "AnswerWrong",
    "AuditReport",
    "CheckResult",
    "Evidence",
    "ExitCode",
    "Finding",
    "Usability",
    "judge_file",
    "verify",
]

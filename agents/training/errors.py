"""What training raises on purpose.

TrainingError
├── DataError       a schema, a CSV file or a row that does not fit
├── TaskError       a task, message, model card or artifact that is malformed or contradicts itself
├── PrivacyError    a request that would spend more privacy than the task allows
└── ChildError      the child process refused, failed, or ran out of time
"""

from governance.errors import FolkmootError


class TrainingError(FolkmootError):
    """A failure of training or evaluation that we foresaw."""


class DataError(TrainingError):
    """A schema, a CSV file or a row that does not fit; the message says where."""


class TaskError(TrainingError):
    """A task, message, model card or artifact that is malformed or contradicts itself."""


class PrivacyError(TrainingError):
    """A request that would spend more privacy than the task allows."""


class ChildError(TrainingError):
    """The child process refused, failed, or ran out of time."""

"""The pages on which people see what they are asked to accept, and vote."""

from dashboard.serve import DEFAULT_PORT, require_free
from dashboard.serve import main as run_server
from dashboard.settings import Supplies

__all__ = ["DEFAULT_PORT", "Supplies", "require_free", "run_server"]

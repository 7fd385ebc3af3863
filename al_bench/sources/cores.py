"""How much may run at once on this machine."""

import os


def usable_cores() -> int:
    """CPU cores that this process may use: of a node that others share, those of the allocation; at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

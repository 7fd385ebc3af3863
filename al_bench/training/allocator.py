"""The C library's allocator, told to keep what one step frees for the next."""

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h of glibc numbers them
_BLOCK, _OF_OLD_GLIBC = 2**28, 2**25  # bytes of the largest block that is taken from what is kept
_KEPT = 2**29  # bytes at most that stay with the process at the end of its memory


def keep_freed_memory() -> bool:
    """Has glibc take blocks of up to 256 MiB from what was freed before, of which it keeps up to 512 MiB.

    By itself it gives much of a step's activations back to the system, which then fills pages with zeros at the next
    step, one fault each. No number changes. Returns whether it is done: another C library has no such setting, and what
    the environment says of it stands.
    """
    if any(name.startswith("MALLOC_") for name in os.environ) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # macOS, Windows; musl has no mallopt
        return False
    # The block first: a threshold of what is kept alone would end glibc's own growth of it, at 128 KiB.
    taken = any(set_option(_MMAP_THRESHOLD, size) for size in (_BLOCK, _OF_OLD_GLIBC))
    return bool(taken and set_option(_TRIM_THRESHOLD, _KEPT))

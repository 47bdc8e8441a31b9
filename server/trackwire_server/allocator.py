"""Has the C library give back the memory that big requests took, once they are answered.

glibc raises the size from which a block gets a mapping of its own with every such block that is freed, up to 32 MiB.
Requests of a MiB then come from its heaps, which threads share out anew and leave full of holes: after a flood the
server kept several times what it needed. With the size fixed a request's memory goes back as soon as it is freed.

Source: mallopt(3).
"""

import ctypes

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8

# Columns of 30,000 points and more; smaller blocks are had from the heaps, which is cheaper.
OWN_MAPPING_BYTES_MIN = 256 * 1024
ARENAS_MAX = 2


def give_back_what_is_freed() -> None:
    """Fixes glibc's thresholds for this process; another C library has none to fix, and is left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES_MIN)
        mallopt(M_ARENA_MAX, ARENAS_MAX)

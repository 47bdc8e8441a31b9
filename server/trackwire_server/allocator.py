"""How glibc keeps the memory of requests: for the next one, and not for ever.

By itself it maps a block of 128 KiB and more apart and unmaps it as soon as it is freed; each one freed raises that
threshold, up to 32 MiB, and blocks below it come from heaps, eight for each core, full of holes. The first costs a page
fault for every 4 KiB of every answer; the second left a server after floods with several times what it needed. Here the
heaps are few and keep what they have, and a task gives back what lies unused after the server had grown.

Source: mallopt(3), malloc_trim(3).
"""

import asyncio
import ctypes
import os
from pathlib import Path

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8

MIB = 1024 * 1024
# The most that glibc takes: larger blocks have a mapping of their own.
_OWN_MAPPING_BYTES_MIN = 32 * MIB
_UNUSED_BYTES_MAX = 256 * MIB
_HEAPS_MAX = 2

# A look costs nothing; giving back costs a page fault for every 4 KiB that is wanted again.
_LOOK_SECONDS = 10.0
_GROWTH_BYTES = 64 * MIB


def keep_what_is_used_again() -> None:
    """Fixes glibc's thresholds for this process; another C library has none to fix, and is left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, _HEAPS_MAX)
        mallopt(M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES_MIN)
        mallopt(M_TRIM_THRESHOLD, _UNUSED_BYTES_MAX)


async def give_back_what_is_not() -> None:
    """Gives unused memory back while the process holds more than it once got along with; until cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return
    least_bytes = _resident_bytes()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if _resident_bytes() > least_bytes + _GROWTH_BYTES:
            # Without the GIL, and a heap at a time: calls go on meanwhile.
            await asyncio.to_thread(trim, 0)
            least_bytes = min(least_bytes, _resident_bytes())


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

"""What a process that holds keys does about its own memory."""

import ctypes
import resource
import sys

PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """No core file, and no attaching debugger of the same user (prctl(2), Linux only).

    Python cannot overwrite a key in memory: short cache lifetimes and this are what is left.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

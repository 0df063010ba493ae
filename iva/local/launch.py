"""Run as a script: become another user, promise to die with the parent, and turn into the given program.

    python -I -S launch.py PARENT SIGNAL UID GID PROGRAM ARGUMENT...

A script rather than Popen's `preexec_fn`, which is unsafe in a process with threads. The promise comes last:
the kernel forgets it when the user changes (prctl(2), PR_SET_PDEATHSIG). Where there is no prctl, a server
that outlived its supervisor is found and stopped at the next start.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(uid: int, gid: int) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def die_with_parent(parent: int, signal_number: int) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit("the supervisor is gone already")


def main(parent: str, signal_number: str, uid: str, gid: str, *command: str) -> None:
    become(int(uid), int(gid))
    die_with_parent(int(parent), int(signal_number))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A process that holds keys leaves no core file and lets no debugger in."""

import subprocess
import sys

import pytest

ASK = """
import ctypes, os, resource
from iva.crypto.hardening import forbid_core_dumps
forbid_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
os.abort()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_core_is_dumped_and_the_process_is_not_dumpable() -> None:
    ended = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    assert ended.stdout.split() == ["(0,", "0)", "0"]
    assert ended.returncode < 0

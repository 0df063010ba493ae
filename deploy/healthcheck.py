"""Health checks inside a container; the exit code is the answer. Standard library only.

healthcheck.py answers URL CA_FILE     the URL answers 200, its certificate signed by that authority
healthcheck.py fresh FOLDER SECONDS    some file in the folder was written within that many seconds
"""

import ssl
import sys
import time
from pathlib import Path
from urllib import request


def answers(url: str, authority: str) -> bool:
    trust = ssl.create_default_context(cafile=authority)
    opener = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=trust))
    try:
        with opener.open(url, timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def fresh(folder: str, seconds: str) -> bool:
    written = [file.stat().st_mtime for file in Path(folder).iterdir()]
    return bool(written) and time.time() - max(written) < float(seconds)


CHECKS = {"answers": answers, "fresh": fresh}

if __name__ == "__main__":
    sys.exit(not CHECKS[sys.argv[1]](*sys.argv[2:]))

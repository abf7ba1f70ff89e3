"""Files that are written completely or not at all."""

import os
import tempfile
from pathlib import Path

# Prefix of the files that a killed process leaves.
UNFINISHED = "unfinished-"


def replace_file(path, content):
    """Write `content` as a file that only its owner may read; replace a link, too."""
    # The name cannot be guessed, so that no link can wait there.
    number, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise

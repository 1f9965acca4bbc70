"""kept -- folders of what was fetched for tests, in the user's cache, so that it is fetched once."""

import contextlib
import os
import tempfile

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weir-interop")


def is_there(name):
    return os.path.isdir(os.path.join(CACHE, name))


def folder(name, fill):
    """The folder of this name, which says what is in it and of which version; fill(path) makes and fills it once."""
    path = os.path.join(CACHE, name)
    if not is_there(name):
        os.makedirs(CACHE, exist_ok=True)
        # Whole or not at all: another test may be fetching beside this one.
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            fill(os.path.join(place, "made"))
            with contextlib.suppress(OSError):
                os.rename(os.path.join(place, "made"), path)
        if not is_there(name):
            raise RuntimeError(f"{path} could not be made")
    return path

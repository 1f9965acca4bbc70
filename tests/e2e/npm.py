"""npm -- packages from npm, for tests of clients that come from there."""

import os
import shutil
import subprocess

from claims import Skip

INSTALL_S = 120


def install(place, packages, *scripts):
    """Puts into the folder `place` what package-lock.json in the folder `packages` names, and these scripts beside it.

    Raises Skip with the reason where that can't be.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed (Debian: nodejs npm)")
    for path in (*(os.path.join(packages, name) for name in ("package.json", "package-lock.json")), *scripts):
        shutil.copy(path, place)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=INSTALL_S)
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if " error " in line), "npm gave no reason")
        raise Skip(f"npm could not get it: {said}")

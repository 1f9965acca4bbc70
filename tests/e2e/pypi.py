"""pypi -- packages from PyPI, for tests of clients that come from there."""

import hashlib
import os
import subprocess
import sys

import kept
from claims import Skip

INSTALL_S = 120


def fetch(requirements):
    """A folder with what this file names, each package with its version and its hashes: for sys.path.

    Raises Skip with the reason where it can't be had.
    """
    with open(requirements, "rb") as f:
        made_of = hashlib.sha256(f.read() + sys.version.encode()).hexdigest()[:16]
    return kept.folder(f"{os.path.basename(os.path.dirname(requirements))}-{made_of}", lambda path: _install(requirements, path))


def _install(requirements, folder):
    try:
        done = subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps",
                               "--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", requirements],
                              check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        raise Skip(f"pip did not get it within {INSTALL_S} s") from None
    if "No module named pip" in done.stdout:
        raise Skip("pip is not installed (Debian: python3-pip)")
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "it gave no reason")
        raise Skip(f"pip could not get it: {said}")

"""Resident memory of this process, in MB (2**20 bytes), as Linux counts it."""

import pathlib


def resident_mb():
    return _status("VmRSS")


def peak_mb():
    """The high-water mark. Not `ru_maxrss`: that one starts from the size of the parent at fork."""
    return _status("VmHWM")


def _status(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return round(int(value.split()[0]) / 1024, 1)
    raise RuntimeError(f"/proc/self/status has no {field}")

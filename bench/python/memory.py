"""Resident memory of this process, in MB (2**20 bytes), as Linux counts it."""

import pathlib


def resident_mb():
    return _status("VmRSS")


def peak_mb():
    """The peak memory. `ru_maxrss` is not used, because it starts with the parent's size at fork."""
    return _status("VmHWM")


def proportional_mb():
    """Current memory. What n processes share counts as 1 / n."""
    return _status("Pss", "smaps_rollup")


def _status(field, file="status"):
    for line in pathlib.Path(f"/proc/self/{file}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return round(int(value.split()[0]) / 1024, 1)
    raise RuntimeError(f"/proc/self/{file} has no {field}")

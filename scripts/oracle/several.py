"""Runs scripts of this folder in one process, because loading torch takes longer than most of them.

    python several.py < LINES

A line is a JSON list of a script's name and its arguments. Stops at the first failure, with its exit code.
"""

import json
import pathlib
import runpy
import sys

for line in sys.stdin:
    sys.argv = json.loads(line)
    print("==", *sys.argv, flush=True)
    try:
        runpy.run_path(str(pathlib.Path(__file__).parent / sys.argv[0]), run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise

"""Runs the Python of a run's model card for each row of a file, and compares its logits with those of
`adalora predict RUN FILE --logits`.

    python check_card.py RUN PREDICTIONS.jsonl FILE.tsv --model BASE --text COLUMN [--text-pair COLUMN]
                         --labels NAME ...

The card expects the base model beside it: BASE is linked there. Its example texts are replaced by the row's.
Exit code 1: a card without Python, a different label, a logit that differs by more than 1e-5 of the largest.
"""

import argparse
import os
import pathlib
import re
import sys
import warnings

import torch
from rows import compare, read_columns, read_predictions
from transformers import logging

# One text at a time on both sides, so that only the order of float32 sums differs.
TOLERANCE = 1e-5


@torch.no_grad()
def main():
    arguments = parse()
    warnings.simplefilter("ignore")  # warnings of any rank_pattern
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    columns = read_columns(arguments.file, [c for c in (arguments.text, arguments.text_pair) if c])
    ours = read_predictions(arguments.predictions, len(columns[0]))
    run = pathlib.Path(arguments.run)
    blocks = re.findall(r"```python\n(.*?)```", (run / "README.md").read_text(encoding="utf-8"), re.S)
    if len(blocks) != 1:
        sys.exit(f"{run}/README.md: expected one block of Python, found {len(blocks)}")
    base = run / pathlib.Path(arguments.model).name
    if not base.exists():
        base.symlink_to(pathlib.Path(arguments.model).resolve())
    here = pathlib.Path.cwd()
    os.chdir(run)
    # What loads the model runs once; what reads the example's texts runs for each row.
    loading, reading = split(blocks[0])
    names = {}
    exec(loading, names)
    logits = []
    for texts in zip(*columns, strict=True):
        names["texts"] = texts
        exec(reading, names)
        logits.append(names["logits"])
    os.chdir(here)
    sys.exit(not compare("card", ours, torch.cat(logits), arguments.labels, TOLERANCE))


def split(code):
    lines = code.split("\n")
    first = next(i for i, line in enumerate(lines) if '"Some text"' in line)
    reading = "\n".join(lines[first:])
    return "\n".join(lines[:first]), reading.replace('"Some text"', "texts[0]").replace('"another text"', "texts[1]")


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("run")
    parser.add_argument("predictions")
    parser.add_argument("file")
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--text-pair")
    parser.add_argument("--labels", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    main()

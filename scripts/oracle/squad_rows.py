"""Converts a flat list of questions without positions to JSON Lines (question, context, answers with answer_start, as on the Hub).

    python squad_rows.py FLAT.json ROWS.jsonl

FLAT.json is a list of paragraphs: context, and qas of question and answer. Each answer is a part of its context. If it occurs
several times, the first occurrence as whole words is used, as in adalora for an answer without a position.
"""

import json
import re
import sys


def place(context, answer):
    whole = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", context)
    return whole.start() if whole else context.index(answer)


def main(source, target):
    paragraphs = json.load(open(source, encoding="utf8"))
    with open(target, "w", encoding="utf8") as lines:
        for i, paragraph in enumerate(paragraphs):
            for j, pair in enumerate(paragraph["qas"]):
                answers = {"text": [pair["answer"]], "answer_start": [place(paragraph["context"], pair["answer"])]}
                row = {"id": f"{i}-{j}", "question": pair["question"], "context": paragraph["context"], "answers": answers}
                lines.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

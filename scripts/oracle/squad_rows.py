"""Rows of JSON Lines (question, context, answers with answer_start, as the Hub has SQuAD) of a flat list without places.

    python squad_rows.py FLAT.json ROWS.jsonl

FLAT.json is a list of paragraphs: context, and qas of question and answer, each answer a part of its context. Where that
stands more than once, the first place that cuts no word is taken, as adalora does with an answer without a place.
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

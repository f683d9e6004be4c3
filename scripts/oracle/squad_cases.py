"""Writes seeded cases with their scores by SQuAD's official scripts.

    python scripts/oracle/squad_cases.py evaluate-v1.1.py evaluate-v2.0.py [CASES [OUT]] && npx biome format --write src/scores/metrics/squad/fixtures

A case is a list of questions [id, answers, prediction (null: none, v1.1 alone), odds of no answer]. Scores are per cent, as the
scripts print them.
"""
import json, pathlib, platform, random, sys
from squad_official import load, scores_v2

V1, V2 = sys.argv[1:3]
CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 12
OUT = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else pathlib.Path(__file__).parents[2] / "src/scores/metrics/squad/fixtures/squad.json"
draw = random.Random(0)


one, two = load(V1), load(V2)
WORDS = ["the", "The", "a", "an", "AN", "cat", "Cat,", "cats", "theory", "a-b", "U.S.", "1,000", "½", "_a_", "$5", "“the”", "a’b", "—", "-", "'s"]
ODD = ["", "a\u0301", "the\u200bcat", "É", "e\u0301", "İ", "ΟΔΟΣ", "ß", "ﬁ", "漢字", "a漢", "а", "ａ", "😀", "a😀the", "the\u0308", "क्या", "а̀ the"]
SPACES = [" "] * 8 + ["  ", "\t", "\n", "\u00a0", "\u2003", "\x1c", "\x85", "\u3000", "\ufeff", ""]


def answer():
    parts = [draw.choice(WORDS if draw.random() < 0.8 else ODD) for _ in range(draw.choice([0, 1, 1, 2, 2, 3, 5]))]
    return "".join(part + draw.choice(SPACES) for part in parts) if draw.random() < 0.5 else " ".join(parts)


def like(answers):
    """A prediction that often has words in common with a reference answer."""
    if not answers or draw.random() < 0.2:
        return draw.choice(["", answer()])
    words = draw.choice(answers).split(" ")
    return " ".join(word.swapcase() if draw.random() < 0.3 else word for word in words if draw.random() < 0.8)


def questions(count, unanswerable):
    rows = []
    for i in range(count):
        answers = [] if unanswerable and draw.random() < 0.4 else [answer() for _ in range(draw.choice([1, 1, 2, 3]))]
        prediction = like(answers)
        if not unanswerable and draw.random() < 0.1:
            prediction = None
        rows.append([f"q{i}" if draw.random() < 0.9 or not unanswerable else "q0", answers, prediction, draw.choice([-3.5, -0.25, 0, 0.5, 0.75, 1, 1.5, 4])])
    return rows


def dataset(rows):
    return [{"paragraphs": [{"qas": [{"id": id, "answers": [{"text": text} for text in answers]} for id, answers, _, _ in rows]}]}]


def scores_v1(rows):
    return one.evaluate(dataset(rows), {id: prediction for id, _, prediction, _ in rows if prediction is not None})


def scores_of(rows, with_odds):
    data, predictions = dataset(rows), {id: prediction for id, _, prediction, _ in rows}
    return scores_v2(two, data, predictions, {id: odd for id, _, _, odd in rows} if with_odds else None)


cases = []
for i in range(CASES):
    version = 1 + i % 2
    rows = questions(draw.choice([1, 3, 5, 8]), version == 2)
    scores = [scores_v1(rows)] if version == 1 else [scores_of(rows, False), scores_of(rows, True)]
    cases.append({"version": version, "questions": rows, "scores": scores})
OUT.write_text(json.dumps({"python": platform.python_version(), "cases": cases}, ensure_ascii=True))

"""Writes files of predictions with their official scores, which `adalora eval --predictions` must reproduce.

    python scripts/oracle/score_files.py evaluate-v1.1.py evaluate-v2.0.py FOLDER [CASES]
    npx tsx scripts/oracle/compare_scores.ts FOLDER

CASES files of every kind, with irregularities: byte-order marks, CRLF, escapes, empty texts, Unicode spaces and
marks, rows in another order, classes without predictions. FOLDER/cases.jsonl has one line per case.
"""
import json, math, pathlib, random, sys, warnings
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU
from scipy.stats import pearsonr, spearmanr
from seqeval.metrics import accuracy_score as seqeval_accuracy, classification_report
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from squad_official import load, scores_v2

warnings.simplefilter("ignore")
draw = random.Random(1)
TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
WORDS = "the The THE a An an cat cats Cat, theory U.S. 1,000 ½ _a_ $5 “the” a’b — - 's don't (a) the-cat running &amp; &quot; <skipped> 3.5 [x] x. .".split()
ODD = ["", "a\u0301", "the\u200bcat", "É", "e\u0301", "İ", "ΟΔΟΣ", "ß", "ﬁ", "漢字", "a漢", "а", "ａ", "😀", "a😀the", "the\u0308", "क्या", "the\u00ad", "K", "\u0001", "ǅ", "١٢", "²", "ªa", "ⅷ"]
SPACES = [" "] * 8 + ["  ", "\t", "\u00a0", "\u2003", "\x1c", "\x1f", "\x85", "\u3000", "\ufeff", "\u2028", "\u180e", ""]
BREAKS = ["\n", "\n\n", "\r\n", "\r", "\x0b", "\x0c"]


def text(breaks=()):
    parts = [draw.choice(WORDS if draw.random() < 0.8 else ODD) for _ in range(draw.choice([0, 1, 1, 2, 3, 5, 9, 20]))]
    spaces = [*SPACES, *breaks]
    return "".join(part + (draw.choice(spaces) if draw.random() < 0.4 else " ") for part in parts)


def like(other, breaks=()):
    if draw.random() < 0.2:
        return draw.choice(["", other, text(breaks)])
    return " ".join(draw.choice([word, word, word.swapcase(), word + "."]) for word in other.split(" ") if draw.random() < 0.8)


def as_json(value):
    return json.dumps(value, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, 2]))


# SQuAD: dev files of both versions.


def squad(v1, v2):
    is_v2 = draw.random() < 0.6
    paragraphs, predictions, odds = [], {}, {}
    for _ in range(draw.choice([1, 2, 3])):
        qas = []
        for _ in range(draw.choice([1, 2, 4])):
            id = draw.choice(["", "5", "id ", "é"]) + str(draw.randrange(10**6))
            if id in predictions or any(qa["id"] == id for qa in qas):
                continue
            answers = [] if is_v2 and draw.random() < 0.4 else [text(BREAKS) for _ in range(draw.choice([1, 1, 2, 3]))]
            qas.append({"id": id, "question": text(), "is_impossible": not answers, "answers": [{"text": a, "answer_start": 0} for a in answers]})
            if is_v2 or not answers or draw.random() < 0.9:
                predictions[id] = like(draw.choice(answers), BREAKS) if answers else draw.choice(["", "", text()])
            odds[id] = draw.choice([-3.5, -0.25, 0, 0.5, 0.5, 1, 1.0000001, 4, 1e-9, draw.uniform(-9, 9)])
        paragraphs.append({"context": "c " + text(BREAKS), "qas": qas})
    if draw.random() < 0.2:
        predictions["of another file"] = "x"
        odds["of another file"] = 0.1
    is_v2 = any(qa["is_impossible"] for paragraph in paragraphs for qa in paragraph["qas"])
    data = [{"title": "t", "paragraphs": paragraphs}]
    files = {"predictions.json": as_json(predictions), "references.json": as_json({"version": "v", "data": data})}
    if not is_v2:
        return files, {name: score / 100 for name, score in v1.evaluate(data, predictions).items()}
    known = odds if draw.random() < 0.6 else None
    if known:
        files["odds.json"] = as_json(odds)
    out = scores_v2(v2, data, predictions, known)
    return files, {name: value if "total" in name or "thresh" in name else value / 100 for name, value in out.items()}


# One text per line, plain or as JSON, with one reference or several.


def texts():
    """Returns predictions and references, and their files."""
    count, is_json = draw.choice([1, 2, 5, 9]), draw.random() < 0.5
    breaks = BREAKS if is_json else []
    references = [[text(breaks) for _ in range(draw.choice([1, 1, 2, 3]) if is_json else 1)] for _ in range(count)]
    predictions = [like(draw.choice(right), breaks) for right in references]
    end = draw.choice(["\n", "\n", "\r\n"])
    last = end if draw.random() < 0.7 or predictions[-1] == "" or references[-1] == [""] else ""
    file = lambda lines: draw.choice(["", "", "\ufeff"]) + end.join(lines) + last
    if not is_json:
        return predictions, references, {"predictions.txt": file(predictions), "references.txt": file([right[0] for right in references])}
    one = lambda value: json.dumps({"row": 1, "text": value} if draw.random() < 0.5 else value, ensure_ascii=draw.random() < 0.5)
    several = lambda right: one(right[0]) if len(right) == 1 and draw.random() < 0.5 else json.dumps(right)
    return predictions, references, {"predictions.jsonl": file(map(one, predictions)), "references.jsonl": file(map(several, references))}


def rouge():
    predictions, references, files = texts()
    scorer = RougeScorer(TYPES, use_stemmer=True)
    scores = [scorer.score_multi(right, prediction) for prediction, right in zip(predictions, references)]
    return files, {name: sum(score[name].fmeasure for score in scores) / len(scores) for name in TYPES}


def bleu():
    predictions, references, files = texts()
    streams = [[right[k] if k < len(right) else None for right in references] for k in range(max(map(len, references)))]
    return files, {"bleu": BLEU().corpus_score(predictions, streams).score}


# CoNLL columns.
TAGS = [["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], ["O", "B-A", "I-A", "E-A", "S-A"], ["O", "B", "I"], ["O", "B-é", "I-é", "I-b-c", "B-b-c", "O-x"], ["NOUN", "VERB", "."]]


def seqeval():
    tags, gap, end = draw.choice(TAGS), draw.choice([" ", "\t", "  "]), draw.choice(["\n", "\n", "\r\n"])
    right = [[draw.choice(tags) for _ in range(draw.choice([1, 2, 5, 12]))] for _ in range(draw.choice([1, 2, 5]))]
    predicted = [[draw.choice(tags) if draw.random() < 0.3 else tag for tag in sentence] for sentence in right]
    word = lambda: draw.choice(["a", "É", "😀", "'", '"', "x\u00a0y", "#", "1,5", "\u3000"])
    column = lambda: [word(), "NN"] if has_more else [word()]
    has_more = draw.random() < 0.3
    lines = []
    for sentence, other in zip(right, predicted):
        lines += [gap.join([*column(), *pair]) for pair in zip(sentence, other)] + [draw.choice(["", "", " ", end])]
    report = classification_report(right, predicted, output_dict=True)
    scores = lambda values: dict(zip(["precision", "recall", "f1", "support"], [*map(float, values[:3]), int(values[3])]))
    all = scores(precision_recall_fscore_support(right, predicted, average="micro"))
    types = {name: scores(list(row.values())) for name, row in report.items() if not name.endswith(" avg")}
    expected = {**all, "accuracy": seqeval_accuracy(right, predicted), "types": types}
    return {"predictions.txt": draw.choice(["", "\ufeff"]) + end.join(lines)}, expected


# GLUE: the columns of its dev files; None is the label's column.
GLUE = {
    "cola": ("", ["gj04", None, "*", "S"], ["0", "1"]),
    "sst2": ("sentence\tlabel", ["S", None], ["0", "1"]),
    "mrpc": ("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", [None, "1", "2", "S", "S"], ["0", "1"]),
    "stsb": ("index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore", ["I", "g", "f", "y", "I", "s", "s", "S", "S", None], None),
    "qqp": ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", ["I", "1", "2", "S", "S", None], ["0", "1"]),
    "mnli": ("index\tpromptID\tpairID\tgenre\tsentence1\tsentence2\tlabel1\tlabel2\tgold_label", ["I", "1", "2", "g", "S", "S", "neutral", "neutral", None], ["entailment", "neutral", "contradiction"]),
    "qnli": ("index\tquestion\tsentence\tlabel", ["I", "S", "S", None], ["entailment", "not_entailment"]),
    "rte": ("index\tsentence1\tsentence2\tlabel", ["I", "S", "S", None], ["entailment", "not_entailment"]),
    "wnli": ("index\tsentence1\tsentence2\tlabel", ["I", "S", "S", None], ["0", "1"]),
}  # fmt: skip


def glue_scores(task, predicted, right):
    if task == "stsb":
        two = [float(pearsonr(predicted, right)[0]), float(spearmanr(predicted, right)[0])] if len(right) > 1 else [math.nan] * 2
        return {"pearson": two[0], "spearmanr": two[1], "combined_score": sum(two) / 2}
    if task == "cola":
        return {"matthews_correlation": float(matthews_corrcoef(right, predicted))}
    accuracy = float(accuracy_score(right, predicted))
    if task not in ("mrpc", "qqp"):
        return {"accuracy": accuracy}
    f1 = float(f1_score(right, predicted, pos_label="1"))
    return {"accuracy": accuracy, "f1": f1, "combined_score": (accuracy + f1) / 2}


def glue(task):
    header, columns, classes = GLUE[task]
    count = draw.choice([1, 2, 3, 10, 40])
    usual = draw.choice(classes) if classes else None
    label = lambda: draw.choice([usual, draw.choice(classes)]) if classes else draw.choice([str(draw.randrange(6)), f"{draw.uniform(0, 5):.3f}", "5.0", "2.50", "3e0"])
    right = [label() for _ in range(count)]
    predicted = [value if draw.random() < 0.7 else label() for value in right]
    end = draw.choice(["\n", "\n", "\r\n"])
    sentence = lambda: text().replace("\t", " ").replace("\r", " ") + draw.choice(["", '"', ' "quoted" '])
    ids = draw.sample(range(10**5), count) if task == "qqp" else list(range(count))
    fill = lambda column, i: right[i] if column is None else str(ids[i]) if column == "I" else sentence() if column == "S" else column
    lines = ([header] if header else []) + ["\t".join(fill(column, i) for column in columns) for i in range(count)]
    names = ids if task == "qqp" and draw.random() < 0.5 else list(range(count))
    answers = [f"{names[i]}\t{predicted[i]}" for i in range(count)]
    if draw.random() < 0.5:
        draw.shuffle(answers)
    mark = lambda: draw.choice(["", "", "\ufeff"])
    files = {"predictions.tsv": mark() + end.join(["index\tprediction", *answers]) + end, "references.tsv": mark() + end.join(lines) + end}
    numbers = (lambda values: [float(value) for value in values]) if classes is None else list
    return files, {**glue_scores(task, numbers(predicted), numbers(right)), "rows": count}


def main():
    v1, v2 = load(sys.argv[1]), load(sys.argv[2])
    out, count = pathlib.Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1000
    kinds = {"squad": lambda: squad(v1, v2), "rouge": rouge, "bleu": bleu, "seqeval": seqeval}
    kinds |= {f"glue/{task}": (lambda task=task: glue(task)) for task in GLUE}
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "cases.jsonl", "w", encoding="utf-8") as cases:
        for kind, make in kinds.items():
            for i in range(count):
                files, expected = make()
                folder = out / kind / str(i)
                folder.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    (folder / name).write_bytes(content.encode("utf-8"))
                case = {"kind": kind, "files": {name.split(".")[0]: f"{kind}/{i}/{name}" for name in files}, "expected": expected}
                cases.write(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()

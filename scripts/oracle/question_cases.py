"""Writes src/tasks/question-answering/fixtures: features of questions from transformers' run_qa.py, and answers of
utils_qa.py in the same folder (examples/pytorch/question-answering) for random logits, with tokenizers of three kinds.

    python scripts/oracle/question_cases.py utils_qa.py && npx biome format --write src/tasks/question-answering/fixtures

To make other cases (not for the repository) from questions of a file in SQuAD's format:

    python scripts/oracle/question_cases.py utils_qa.py MODEL OUT FILE MAX_LENGTH STRIDE [ROWS]
    QUESTION_CASES=OUT npx vitest run src/tasks/question-answering/question-answering.test.ts
"""
import importlib.util, json, pathlib, sys, tempfile
import numpy, transformers
from transformers import AutoTokenizer

ROOT = pathlib.Path(__file__).parents[2]
UTILS = sys.argv[1]
FIXTURES = ROOT / "src/tasks/question-answering/fixtures"
SLOW = "src/input/text/fixtures/slow"
spec = importlib.util.spec_from_file_location("utils_qa", UTILS)
utils_qa = importlib.util.module_from_spec(spec)
spec.loader.exec_module(utils_qa)
utils_qa.tqdm = lambda rows: rows
draw = numpy.random.default_rng(0)

LONG = "The cat \U0001f600 sat on the mat. Then the caf\u00e9's owner, a Mr. Na\u00efve, came home at 10:30 and fed the cat; nobody knows why the dog barked"
ROWS = [
    {"question": "  \u00a0Who came home?", "context": LONG, "text": "Mr. Na\u00efve"},
    {"question": "What barked?", "context": LONG, "text": "barked"},
    {"question": "What sat?", "context": "The cat", "text": "cat"},
    {"question": "Where?", "context": LONG, "text": "on the mat. Then the caf\u00e9's owner"},
    {"question": "Why?", "context": LONG, "text": None},
    {"question": "", "context": "Cats  eat\tfish\u200b.", "text": "ats"},
    {"question": "What?", "context": "\U0001f600\U0001f600 fish", "text": "fish"},
]


class Examples(list):
    """Rows with access by column, like those of a data set."""

    def __getitem__(self, key):
        return [row[key] for row in self] if isinstance(key, str) else list.__getitem__(self, key)


def squad(path):
    data = json.load(open(path, encoding="utf-8"))["data"]
    for article in data:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answer = qa["answers"][0] if qa["answers"] else {"text": None}
                yield {"question": qa["question"], "context": paragraph["context"], "text": answer["text"], "start": answer.get("answer_start")}


def numbered(rows):
    for i, row in enumerate(rows):
        row["id"] = f"q{i}"
        if row["text"] is not None and row.get("start") is None:
            row["start"] = row["context"].index(row["text"])
        row.setdefault("start", None)
    return rows


def line(numbers):
    return " ".join(f"{number:g}" for number in numbers)


def features_of(tokenizer, row, max_length, stride):
    """prepare_train_features and prepare_validation_features, without padding."""
    made = tokenizer(row["question"].lstrip(), row["context"], truncation="only_second", max_length=max_length, stride=stride, return_overflowing_tokens=True, return_offsets_mapping=True)
    for i, ids in enumerate(made["input_ids"]):
        offsets, sequence = made["offset_mapping"][i], made.sequence_ids(i)
        cls = ids.index(tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id)
        start = end = cls
        if row["text"] is not None:
            begin, stop = row["start"], row["start"] + len(row["text"])
            first = 0
            while sequence[first] != 1:
                first += 1
            last = len(ids) - 1
            while sequence[last] != 1:
                last -= 1
            if offsets[first][0] <= begin and offsets[last][1] >= stop:
                while first < len(offsets) and offsets[first][0] <= begin:
                    first += 1
                while offsets[last][1] >= stop:
                    last -= 1
                start, end = first - 1, last + 1
        yield {"example_id": row["id"], "input_ids": ids, "token_type_ids": made.get("token_type_ids", [[0] * len(ids)] * (i + 1))[i], "offset_mapping": [o if s == 1 else None for o, s in zip(offsets, sequence)], "start": start, "end": end}


def logits(features):
    """Random logits. They have no ties, because numpy's sort leaves their order open. Sums may be equal; their order is defined."""
    for feature in features:
        yield [(draw.permutation(len(feature["input_ids"])) / 8 - 2).astype(numpy.float32) for _ in range(2)]


def answers_of(rows, features, values, settings, kept):
    negative, size, longest, threshold = settings
    with tempfile.TemporaryDirectory() as folder:
        utils_qa.postprocess_qa_predictions(Examples(rows), features, ([s for s, _ in values], [e for _, e in values]), negative, size, longest, threshold, folder)
        read = lambda name: json.loads((pathlib.Path(folder) / name).read_text())
        best = read("nbest_predictions.json")
        nbest = {id: [[one["text"], one["start_logit"], one["end_logit"], one["probability"]] for one in found[:kept]] for id, found in best.items()}
        return {"settings": settings, "predictions": read("predictions.json"), "nbest": nbest, "sizes": line(len(found) for found in best.values()), **({"null_odds": read("null_odds.json")} if negative else {})}


def write(model, out, rows, windows, kept=None):
    """kept: number of answers per question in the file; default: all."""
    tokenizer = AutoTokenizer.from_pretrained(ROOT / model)
    cases = []
    for max_length, stride in windows:
        features = [feature for row in rows for feature in features_of(tokenizer, row, max_length, stride)]
        values = list(logits(features))
        case = {"max_length": max_length, "doc_stride": stride, "features": [], "answers": []}
        for feature, (start, end) in zip(features, values):
            spans = [o for o in feature["offset_mapping"] if o is not None]
            case["features"].append({"question": feature["example_id"], "ids": line(feature["input_ids"]), "types": "".join(map(str, feature["token_type_ids"])), "offsets": line(n for o in spans for n in o), "labels": line([feature["start"], feature["end"]]), "logits": [line(start), line(end)]})
        for settings in [(False, 20, 30, 0.0), (True, 20, 30, 0.0), (True, 5, 3, 1.5)]:
            case["answers"].append(answers_of(rows, features, values, settings, kept))
        cases.append(case)
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"transformers": transformers.__version__, "model": model, "rows": rows, "cases": cases}))


if len(sys.argv) > 2:
    model, out, file, max_length, stride, *count = sys.argv[2:]
    rows = list(squad(file))[: int(count[0]) if count else None]
    write(str(pathlib.Path(model).resolve()), pathlib.Path(out), numbered(rows), [(int(max_length), int(stride))])
else:
    write("models/mini", FIXTURES / "oracle.json", numbered(ROWS), [(384, 128), (24, 6)], kept=2)
    # Their vocabularies are small, so words have several tokens.
    write(f"{SLOW}/roberta", FIXTURES / "roberta.json", ROWS, [(48, 12)], kept=2)
    write(f"{SLOW}/deberta-v3", FIXTURES / "deberta-v3.json", ROWS, [(48, 12)], kept=2)

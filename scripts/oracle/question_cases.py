"""Writes src/tasks/question-answering/fixtures/oracle.json: features of questions as transformers' run_qa.py makes them and, for
random logits, what utils_qa.py of the same folder (examples/pytorch/question-answering) makes of them.

    python scripts/oracle/question_cases.py utils_qa.py && npx biome format --write src/tasks/question-answering/fixtures

Others, not for the repository: ... utils_qa.py MODEL OUT FILE MAX_LENGTH STRIDE [ROWS], for questions of a file in SQuAD's format.
"""
import importlib.util, json, pathlib, sys, tempfile
import numpy, transformers
from transformers import AutoTokenizer

ROOT = pathlib.Path(__file__).parents[2]
UTILS = sys.argv[1]
MODEL, OUT = sys.argv[2:4] if len(sys.argv) > 3 else (str(ROOT / "models/mini"), str(ROOT / "src/tasks/question-answering/fixtures/oracle.json"))
spec = importlib.util.spec_from_file_location("utils_qa", UTILS)
utils_qa = importlib.util.module_from_spec(spec)
spec.loader.exec_module(utils_qa)
utils_qa.tqdm = lambda rows: rows
tokenizer = AutoTokenizer.from_pretrained(MODEL)
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
    """Rows that are also columns, as a data set's."""

    def __getitem__(self, key):
        return [row[key] for row in self] if isinstance(key, str) else list.__getitem__(self, key)


def squad(path):
    data = json.load(open(path, encoding="utf-8"))["data"]
    for article in data:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answer = qa["answers"][0] if qa["answers"] else {"text": None}
                yield {"question": qa["question"], "context": paragraph["context"], "text": answer["text"], "start": answer.get("answer_start")}


if len(sys.argv) > 4:
    rows, settings = list(squad(sys.argv[4])), [(int(sys.argv[5]), int(sys.argv[6]))]
    rows = rows[: int(sys.argv[7])] if len(sys.argv) > 7 else rows
else:
    rows, settings = ROWS, [(384, 128), (24, 6)]
for i, row in enumerate(rows):
    row["id"] = f"q{i}"
    if row["text"] is not None and row.get("start") is None:
        row["start"] = row["context"].index(row["text"])


def line(numbers):
    return " ".join(f"{number:g}" for number in numbers)


def features_of(row, max_length, stride):
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
    """Of equal logits numpy's sort leaves the order open: there are none. Of equal sums it is certain, and there are many."""
    for feature in features:
        yield [(draw.permutation(len(feature["input_ids"])) / 8 - 2).astype(numpy.float32) for _ in range(2)]


cases = []
for max_length, stride in settings:
    features = [feature for row in rows for feature in features_of(row, max_length, stride)]
    values = list(logits(features))
    case = {"max_length": max_length, "doc_stride": stride, "features": [], "answers": []}
    for feature, (start, end) in zip(features, values):
        spans = [o for o in feature["offset_mapping"] if o is not None]
        case["features"].append({"question": feature["example_id"], "ids": line(feature["input_ids"]), "types": "".join(map(str, feature["token_type_ids"])), "offsets": line(n for o in spans for n in o), "labels": line([feature["start"], feature["end"]]), "logits": [line(start), line(end)]})
    for negative, size, longest, threshold in [(False, 20, 30, 0.0), (True, 20, 30, 0.0), (True, 5, 3, 1.5)]:
        with tempfile.TemporaryDirectory() as folder:
            utils_qa.postprocess_qa_predictions(Examples(rows), features, ([s for s, _ in values], [e for _, e in values]), negative, size, longest, threshold, folder)
            read = lambda name: json.loads((pathlib.Path(folder) / name).read_text())
            best = read("nbest_predictions.json")
            kept = {id: [[one["text"], one["start_logit"], one["end_logit"], one["probability"]] for one in found[: None if len(sys.argv) > 4 else 2]] for id, found in best.items()}
            case["answers"].append({"settings": [negative, size, longest, threshold], "predictions": read("predictions.json"), "nbest": kept, "sizes": line(len(found) for found in best.values()), **({"null_odds": read("null_odds.json")} if negative else {})})
    cases.append(case)
for row in rows:
    row.setdefault("start", None)
pathlib.Path(OUT).parent.mkdir(exist_ok=True)
pathlib.Path(OUT).write_text(json.dumps({"transformers": transformers.__version__, "model": MODEL if len(sys.argv) > 3 else "models/mini", "rows": rows, "cases": cases}))

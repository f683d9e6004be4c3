"""Writes src/scores/metrics/fixtures/seqeval.json: entities and scores of the Python package seqeval on small seeded cases.

    python scripts/oracle/seqeval_cases.py && npx biome format --write src/scores/metrics/fixtures

Sentences are tags separated by spaces. Entities are type, first word and the word after the last, counted over all
sentences with one tag between sentences. Scores are precision, recall, F1 and support.
"""
import json, pathlib, platform, random, warnings
from importlib.metadata import version
from seqeval.metrics import accuracy_score, classification_report
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

OUT = pathlib.Path(__file__).parents[2] / "src/scores/metrics/fixtures/seqeval.json"
draw = random.Random(0)
TYPES = ["PER", "LOC", "ORG"]

with_types = lambda prefixes, types=TYPES: ["O"] + [f"{prefix}-{type}" for prefix in prefixes for type in types]
ALPHABETS = {
    "IOB": with_types("BI"),
    "IOB of one type": with_types("BI", ["PER"]),
    "IOBES": with_types("BIES"),
    "IOBES of one type": with_types("BIES", ["X"]),
    "prefixes alone": ["O", "B", "I", "E", "S"],
    "types alone": ["O", *TYPES],
    "parts of speech": ["NOUN", "VERB", "PUNCT", "X", "."],
    "unknown prefixes": ["O", "L-PER", "U-PER", "M-PER", "B-PER", "I-PER"],
    "odd tags": ["O", "O-PER", "B", "B-", "B-PER-X", "BX-PER", "I--", "-PER", "-", ".", ".-PER", "E-A", "S-_", "é-PER", "😀-PER", "😀PER", "o", "b-PER"],
    "no type beside others": ["O", "P", "Q", ".", "E", "S", "B-_", "Q-X"],
}

# Sentences in IOB1, IOB2 and IOBES as in real data.
def spans(length):
    at = 0
    while at < length:
        size = min(draw.choice([1, 1, 2, 3]), length - at)
        yield draw.choice(["O", "O", *TYPES]), size
        at += size


def written(scheme, length):
    tags, before = [], "O"
    for type, size in spans(length):
        if type == "O":
            tags += ["O"] * size
        elif scheme == "IOB1":
            tags += [("B-" if before == type else "I-") + type] + [f"I-{type}"] * (size - 1)
        elif scheme == "IOB2":
            tags += [f"B-{type}"] + [f"I-{type}"] * (size - 1)
        else:
            tags += [f"S-{type}"] if size == 1 else [f"B-{type}", *[f"I-{type}"] * (size - 2), f"E-{type}"]
        before = type
    return tags


def changed(tags, alphabet, share):
    return [draw.choice(alphabet) if draw.random() < share else tag for tag in tags]


def random_case(name, sentence, alphabet):
    references = [sentence(draw.choice([0, 1, 2, 3, 5, 8, 13])) for _ in range(draw.choice([1, 2, 3, 6]))]
    share = draw.choice([0, 0.1, 0.3, 1])
    return name, references, [changed(tags, alphabet, share) for tags in references]


def case(name, references, predictions):
    micro = precision_recall_fscore_support(references, predictions, average="micro")
    report = classification_report(references, predictions, output_dict=True)
    plain = lambda precision, recall, f1, support: [float(precision), float(recall), float(f1), int(support)]
    return {
        "name": name,
        "references": [" ".join(tags) for tags in references],
        "predictions": [" ".join(tags) for tags in predictions],
        "entities": [f"{type} {start} {end + 1}" for type, start, end in get_entities(references)],
        "accuracy": accuracy_score(references, predictions) if any(references) else None,
        "all": plain(*micro),
        "types": {type: plain(*row.values()) for type, row in report.items() if not type.endswith(" avg")},
    }


HAND_PICKED = {
    "all right": (["B-PER I-PER O"], ["B-PER I-PER O"]),
    "all wrong": (["B-PER I-PER O"], ["O O B-PER"]),
    "nothing there, nothing predicted": (["O O"], ["O O"]),
    "nothing there": (["O O"], ["B-PER O"]),
    "nothing predicted": (["B-PER O"], ["O O"]),
    "no words": ([""], [""]),
    "no words in several sentences": (["", ""], ["", ""]),
    "an empty sentence among others": (["B-PER", "", "I-PER"], ["B-PER", "", "I-PER"]),
    "I after O starts an entity": (["O B-PER I-PER O"], ["O I-PER I-PER O"]),
    "I of another type starts an entity": (["B-PER B-LOC"], ["B-PER I-LOC"]),
    "B ends an entity": (["B-PER I-PER"], ["B-PER B-PER"]),
    "an entity too long": (["B-PER O"], ["B-PER I-PER"]),
    "the right words of another type": (["B-PER I-PER O"], ["B-LOC I-LOC O"]),
    "entities end with sentences": (["B-PER", "I-PER"], ["B-PER", "I-PER"]),
    "IOBES beside IOB2": (["S-PER O B-LOC E-LOC"], ["B-PER O B-LOC I-LOC"]),
    "a full stop is outside": (["B-X . I-X"], [". E S"]),
    "an entity without type goes on past its sentence": (["O P", "B-X O"], ["O P", "Q-X O"]),
    "names of Object": (["B-constructor I-constructor B-__proto__"], ["B-constructor I-constructor B-toString"]),
}


def main():
    warnings.simplefilter("ignore")  # some cases have irregular tags or undefined scores
    tags = lambda sentences: [sentence.split() for sentence in sentences]
    cases = [case(name, tags(references), tags(predictions)) for name, (references, predictions) in HAND_PICKED.items()]
    for name, alphabet in ALPHABETS.items():
        sentence = lambda length: [draw.choice(alphabet) for _ in range(length)]
        cases += [case(*random_case(f"{name} {n}", sentence, alphabet)) for n in range(30)]
    for scheme, prefixes in [("IOB1", "BI"), ("IOB2", "BI"), ("IOBES", "BIES")]:
        sentence = lambda length: written(scheme, length)
        cases += [case(*random_case(f"well-formed {scheme} {n}", sentence, with_types(prefixes))) for n in range(20)]
    versions = {"python": platform.python_version(), "seqeval": version("seqeval")}
    OUT.write_text(json.dumps({"versions": versions, "cases": cases}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

"""Writes src/scores/metrics/fixtures/text-scores.json: stems of NLTK, ROUGE of rouge_score and BLEU of sacrebleu on seeded cases.

    python scripts/oracle/text_scores.py && npx biome format --write src/scores/metrics/fixtures

To make many more cases, also from real texts (one summary per line; words of any text):

    python scripts/oracle/text_scores.py --words 200000 --texts 6000 --corpora 3000 --out cases.json FILE...
    TEXT_SCORES=cases.json npx vitest run src/scores/metrics/text-scores.test.ts
"""
import argparse, json, pathlib, platform, random, re
from importlib.metadata import version
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

OUT = pathlib.Path(__file__).parents[2] / "src/scores/metrics/fixtures/text-scores.json"
TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
draw = random.Random(0)

SUFFIXES = (
    "ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti "
    "biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent ion ou ism "
    "ate iti ous ive ize s es ies sses ed ing ied eed y e ll at bl iz"
).split()
IRREGULAR = "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed".split()
PIECES = [
    "the", "cat", "cats", "running", "ran", "a", "b", "A.", "\n", "\n", ". ", "don't", "café", "İ", "K", "3.5", "1,000", "-",
    "&amp;", "&quot;", "&amp;lt;", "<skipped>", "-\n", "x-ray", "\u2028", "\x1c", "\x85", "\ufeff", "😀.", "😀,", "9-", "é.5",
    "5.é", "{", "~", "`", "[", "]", "U.S.", "  ", "",
]


def word():
    return "".join(draw.choice("aeiouybcdlst9zwx") for _ in range(draw.randint(0, 5))) + "".join(
        draw.choice(SUFFIXES) for _ in range(draw.randint(1, 3))
    )


def text():
    pieces = draw.sample(PIECES, draw.choice([3, 8, len(PIECES)]))
    return draw.choice([" ", " ", ""]).join(draw.choice(pieces) for _ in range(draw.choice([0, 1, 2, 3, 5, 8, 20])))


def changed(original):
    words = original.split(" ")
    return " ".join(draw.choice(words) if draw.random() < 0.3 else word for word in words if draw.random() < 0.9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--words", type=int, default=150)
    parser.add_argument("--texts", type=int, default=30)
    parser.add_argument("--corpora", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    args = parser.parse_args()

    content = "\n".join(file.read_text(encoding="utf-8-sig", errors="ignore") for file in args.files)
    real = [line for line in content.split("\n") if 0 < len(line) < 3000]
    words = sorted({*IRREGULAR, *re.findall("[a-z0-9]+", content.lower()), *(word() for _ in range(args.words))})
    stemmer, scorer, metric = PorterStemmer(), RougeScorer(TYPES, use_stemmer=True), BLEU()

    texts = []
    for i in range(args.texts):
        source = draw.choice(real) if real and i % 2 else None
        make = (lambda: changed(source)) if source else text
        prediction, references = make(), [make() for _ in range(draw.choice([1, 1, 2, 3]))]
        scores = scorer.score_multi(references, prediction)
        tokens = metric.tokenizer(prediction.rstrip())
        texts.append(
            {"prediction": prediction, "references": references, "tokens": tokens, "rouge": [list(scores[t]) for t in TYPES]}
        )
    corpora = []
    for _ in range(args.corpora):
        chosen = draw.sample(range(len(texts)), draw.choice([1, 1, 2, 5, 20]))
        most = max(len(texts[i]["references"]) for i in chosen)
        # sacrebleu needs the same number of references for each text. None stands for a missing reference.
        streams = [[dict(enumerate(texts[i]["references"])).get(k) for i in chosen] for k in range(most)]
        corpora.append({"texts": chosen, "bleu": BLEU().corpus_score([texts[i]["prediction"] for i in chosen], streams).score})

    versions = {name: version(name) for name in ["nltk", "rouge_score", "sacrebleu"]} | {"python": platform.python_version()}
    stems = " ".join(f"{word}:{stemmer.stem(word)}" for word in words)
    case = {"versions": versions, "stems": stems, "texts": texts, "corpora": corpora}
    args.out.write_text(json.dumps(case, ensure_ascii=args.out != OUT) + "\n")


if __name__ == "__main__":
    main()

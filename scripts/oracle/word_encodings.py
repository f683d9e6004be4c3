"""Writes src/input/text/fixtures/words.json: encodings by transformers' fast tokenizers of sentences that are split into words.

    python scripts/oracle/word_encodings.py && npx biome format --write src/input/text/fixtures

The tokenizers are those of src/input/text/fixtures and models/mini. GPT-2's is loaded with add_prefix_space=True, as in
transformers' run_ner.py. Ids and word ids are separated by spaces; -1 is no word.
"""
import json, pathlib, platform, shutil, tempfile
import tokenizers, transformers
from transformers import AutoTokenizer

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "src/input/text/fixtures"
NASTY = [
    "", " ", "\u0000", "\u200b", "\ufeff", "\u00ad", "\u00a0", "\u0301", "  two  words ", " led", "trailed ", "\t\n",
    "U.S.", "don't", "3.14%", "naïve", "Ångström", "e\u0301", "ΑΣ", "你好", "東京タワー", "한국어", "😀", "👩‍👩‍👧‍👦", "x" * 120,
    "[CLS]", "[SEP]", "in[SEP]side", "<s>", "a</s>b", "<mask>", "<|endoftext|>", "<|eot_id|>x", "<unk>", "<pad>",
    "▁", "▁x", "Ġ", "##ing", "constructor", "__proto__",
]  # fmt: skip
SENTENCES = [
    [],
    "EU rejects German call to boycott British lamb .".split(),
    "\" It 's 3.14 % of the U.S. share , \" said J. O'Neill ( 42 ) .".split(),
    *[[word] for word in NASTY],
    *[["The", word, "Cat"] for word in NASTY],
    NASTY,
]
MAX_LENGTHS = [1024, 9]


def fixture(name, tokenizer_class="PreTrainedTokenizerFast", **options):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(FIXTURES / f"{name}.json", f"{folder}/tokenizer.json")
        pathlib.Path(folder, "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer_class}))
        pathlib.Path(folder, "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        return AutoTokenizer.from_pretrained(folder, **options)


def encodings(tokenizer):
    for max_length in MAX_LENGTHS:
        for words in SENTENCES:
            made = tokenizer(words, is_split_into_words=True, truncation=True, max_length=max_length)
            word_ids = [-1 if word is None else word for word in made.word_ids()]
            yield {"ids": " ".join(map(str, made["input_ids"])), "words": " ".join(map(str, word_ids))}


def main():
    made = {
        "mini": AutoTokenizer.from_pretrained(ROOT / "models/mini"),
        "gpt2": fixture("gpt2", "GPT2Tokenizer", add_prefix_space=True),
        **{name: fixture(name) for name in ["llama2", "llama3", "xlm-roberta"]},
    }
    versions = {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__}
    cases = {"versions": versions, "maxLengths": MAX_LENGTHS, "sentences": SENTENCES}
    cases |= {"encodings": {name: list(encodings(tokenizer)) for name, tokenizer in made.items()}}
    (FIXTURES / "words.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n")


main()

"""Writes src/input/text/fixtures/offsets.json: offsets of tokens, from transformers' `return_offsets_mapping`.

    python scripts/oracle/offsets.py && npx biome format --write src/input/text/fixtures

The tokenizers are those of src/input/text/fixtures and models/mini, and a variant of GPT-2's that trims spaces, as RoBERTa's do. A token
is written as `id start end`, with a space between tokens.
"""
import json, pathlib, platform
import tokenizers, transformers
from tokenizers import Tokenizer, processors
from transformers import PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "src/input/text/fixtures"
TEXTS = [
    "", " ", "  ", "\u0000", "a\u0000b", "\x01\x02a", "two  words ", "\ttab\r\nline\n\n", "\u00a0no\u00a0break\u3000x\u2028y\u0085z",
    "It's THE Café in Ångström, İstanbul: Straße ﬁn ǅ ½ ² ㍿", "e\u0301 a\u0316\u0301 \u0301 alone x\u0301y q\u0323\u0307\u0301",
    "ΟΔΥΣΣΕΥΣ Σ ΑΣ.", "zero\u200bwidth\u200dxy\ufeffz so\u00adft", "你好，世界 東京タワー 한국어 가각 \u1112\u1161\u11ab 々〇豈 \U00020000a",
    "😀 👩‍👩‍👧‍👦 🇩🇪🏳️‍🌈 a😀b", "שלום العربية हिन्दी ไทย க்ஷி", "x <s> b</s>c<|endoftext|> d  <|eot_id|>e  <mask>  f[MASK]g [SEP]",
    "▁ ▁x x▁y ĠG ##ing ``quoted'' “q”", "constructor __proto__", "a" * 120, "1234567 3.14% $5", "don't WON'T we'll",
]  # fmt: skip


def offsets(tokenizer, *texts):
    # A batch of one text, because an empty second text would otherwise count as missing.
    made = tokenizer(*[[text] for text in texts], return_offsets_mapping=True)
    sequences = ["-" if each is None else str(each) for each in made.sequence_ids()]
    tokens = zip(made["input_ids"][0], made["offset_mapping"][0], strict=True)
    return {"tokens": " ".join(f"{id} {start} {end}" for id, (start, end) in tokens), "sequences": "".join(sequences)}


def main():
    names = ["gpt2", "llama2", "llama3", "xlm-roberta"]
    backends = {name: Tokenizer.from_file(str(FIXTURES / f"{name}.json")) for name in names}
    backends["mini"] = Tokenizer.from_file(str(ROOT / "models/mini/tokenizer.json"))
    backends["mini"].no_padding()
    backends["mini"].no_truncation()
    backends["trimmed"] = Tokenizer.from_file(str(FIXTURES / "gpt2.json"))
    backends["trimmed"].post_processor = processors.RobertaProcessing(("<|endoftext|>", 0), ("<|endoftext|>", 0), True, False)
    cases = {"versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__}}
    cases |= {"texts": TEXTS, "encodings": {}}
    for name, backend in backends.items():
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
        # Without this, transformers would add or remove spaces before words.
        tokenizer._tokenizer = backend
        pairs = zip(TEXTS, TEXTS[1:] + TEXTS[:1], strict=True)
        cases["encodings"][name] = {
            "single": [offsets(tokenizer, text) for text in TEXTS],
            "pair": [offsets(tokenizer, a, b) for a, b in pairs],
        }
    (FIXTURES / "offsets.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n")


main()

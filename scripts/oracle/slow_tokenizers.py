"""Writes folders of tokenizers in the formats before tokenizer.json, and transformers' fast encodings of texts with them.

    python scripts/oracle/slow_tokenizers.py TEXT.txt                # the small ones of src/input/text/fixtures/slow
    python scripts/oracle/slow_tokenizers.py TEXT.txt FOLDER LINES   # larger ones, and LINES lines of mixed text
    npx tsx scripts/oracle/compare_tokenizers.ts FOLDER              # compares the latter

TEXT.txt is an English text, from which sentencepiece models and byte-level vocabularies are trained. A folder has the files of
such a model on the Hub. `expected.jsonl` has one line per text: transformers 4.57's tokens as `id start end`, with `tokens`.
"""
import json, pathlib, platform, random, sys, unicodedata
import sentencepiece, tokenizers, transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

ROOT = pathlib.Path(__file__).parents[2]
OWN = "▁ “”–—…éèüñßøłČżαβγδабвгдежзийклмнопрстуфхцшыя你好世界日本語のかなカナ한국어אבגدعربहिन्दीไทย😀🎉ﬁ½²①Å"
NASTY = [
    "", " ", "  ", "\u0000", "a\u0000b", "\x01\x02a", "\x01", "two  words ", "\ttab\r\nline\n\n", "\u00a0no\u00a0break\u3000x\u2028y\u0085z",
    "It's THE Café in Ångström, İstanbul: Straße ﬁn ǅ ½ ² ㍿", "e\u0301 a\u0316\u0301 \u0301 alone x\u0301y q\u0323\u0307\u0301",
    "ΟΔΥΣΣΕΥΣ Σ ΑΣ.", "zero\u200bwidth\u200dxy\ufeffz so\u00adft", "你好，世界 東京タワー 한국어 가각 \u1112\u1161\u11ab 々〇豈 \U00020000a",
    "😀 👩‍👩‍👧‍👦 🇩🇪🏳️‍🌈 a😀b", "שלום العربية हिन्दी ไทย க்ஷி", "x <s> b</s>c<|endoftext|> d  <pad>e  <mask>  f[MASK]g [SEP][UNK] <unk> h",
    "<extra_id_0> a <extra_id_1>b  <extra_id_99> <user> x<user>y <extra_id_7>", "▁ ▁x x▁y ▁▁ ĠG ##ing ``quoted'' “q”", "constructor __proto__",
    "a" * 120, "aaaa aaaaaaaa abababab", "1234567 3.14% $5", "don't WON'T we'll", "ｆｕｌｌ　ｗｉｄｔｈ～〜 ﷺ", "x" + "\u0300" * 40 + "y", "\r", "\r\n", "\n a", "a \n", " \u3000 ",
]  # fmt: skip


# Normalization rules of the small models, because those of NFKC take 240 KB. They cover letters, ligatures, removed characters and sequences.
RULES = {"ﬁ": "fi", "½": "1⁄2", "²": "2", "①": "1", "\u212b": "Å", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\u0001": "", "\u0002": "", "\u200b": " ",
         "\u00ad": "", "e\u0301": "é", "a\u0301": "á", "\r\n": " ", "㍿": "株式会社", "～": "~", "ｆ": "f", "x\u0301": "x"}  # fmt: skip
SMALL = ["deberta-v3", "deberta-v2-bpe", "xlm-roberta", "t5-new", "llama", "llama-new", "bert", "mpnet", "gpt2-bos", "roberta"]
small = len(sys.argv) < 4


def train(folder, name, text, model_type, size, **options):
    settings = {"character_coverage": 0.9999, "hard_vocab_limit": False, "model_type": model_type, "vocab_size": size, "minloglevel": 2, "num_threads": 1}
    if small and options.get("normalization_rule_name") != "identity":
        hexes = lambda text: " ".join(f"{ord(c):X}" for c in text)
        rules = "".join(f"{hexes(a)}\t{hexes(b)}\n" for a, b in RULES.items())
        settings["normalization_rule_tsv"] = str(folder / "rules.tsv")
        write(folder, "rules.tsv", rules)
        options.pop("normalization_rule_name", None)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*text.split("\n"), *[OWN] * 3]), model_prefix=str(folder / "made"), **settings | options
    )
    (folder / "made.model").rename(folder / name)
    (folder / "made.vocab").unlink()
    (folder / "rules.tsv").unlink(missing_ok=True)


def write(folder, name, content):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")


def words(folder, text, size, special):
    vocab = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    vocab.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    vocab.train_from_iterator([text, text.lower(), OWN], trainers.WordPieceTrainer(vocab_size=size, special_tokens=special))
    ids = sorted(vocab.get_vocab().items(), key=lambda item: item[1])
    write(folder, "vocab.txt", "".join(f"{token}\n" for token, _ in ids))


def byte_level(folder, text, size, special):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator([text, OWN], trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet))
    made.model.save(str(folder))


DEBERTA = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
T5 = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
BARE = {"normalization_rule_name": "identity", "add_dummy_prefix": False, "remove_extra_whitespaces": False}
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MPNET = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
LLAMA = {"normalization_rule_name": "identity", "byte_fallback": True, "split_digits": True, "allow_whitespace_only_pieces": True, "remove_extra_whitespaces": False}


def folders(out, text, size):
    """Names of folders, and the functions that fill them."""

    def spm(name, file, model_type, model_type_name, config=None, extra=(), **options):
        folder = out / name
        if small and name not in SMALL:
            return
        folder.mkdir(parents=True, exist_ok=True)
        train(folder, file, text, model_type, size, **options)
        write(folder, "config.json", {"model_type": model_type_name})
        if config is not None:
            write(folder, "tokenizer_config.json", config)
        for file, content in extra:
            write(folder, file, content)

    spm("deberta-v3", "spm.model", "unigram", "deberta-v2", {"do_lower_case": False, "vocab_type": "spm"}, **DEBERTA)
    spm("deberta-v2-lower", "spm.model", "unigram", "deberta-v2", {"do_lower_case": True, "split_by_punct": True}, normalization_rule_name="nmt_nfkc_cf", user_defined_symbols=["<user>"], **DEBERTA)
    spm("deberta-v2-bpe", "spm.model", "bpe", "deberta-v2", {"tokenizer_class": "DebertaV2Tokenizer"}, [("added_tokens.json", {"[MASK]": 99_999})], **DEBERTA | BARE)
    spm("xlm-roberta", "sentencepiece.bpe.model", "unigram", "xlm-roberta", {"model_max_length": 512})
    spm("xlm-roberta-identity", "sentencepiece.bpe.model", "unigram", "xlm-roberta", None, user_defined_symbols=["<user>"], **BARE)
    spm("t5", "spiece.model", "unigram", "t5", {"extra_ids": 100, "additional_special_tokens": [f"<extra_id_{i}>" for i in range(100)]}, **T5)
    spm("t5-new", "spiece.model", "unigram", "t5", {"legacy": False, "tokenizer_class": "T5Tokenizer", "extra_ids": 10}, byte_fallback=True, normalization_rule_name="nfkc", **T5)
    llama = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}
    marked = {"__type": "AddedToken", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    tokens = {key: {**marked, "content": content} for key, content in [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")]}
    spm("llama", "tokenizer.model", "bpe", "llama", {**llama, **tokens, "pad_token": None, "sp_model_kwargs": {}}, **LLAMA)
    spm("llama-new", "tokenizer.model", "bpe", "llama", {**llama, "legacy": False, "add_eos_token": True, "added_tokens_decoder": {
        str(i): {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        for i, content in enumerate(["<unk>", "<s>", "</s>"])}, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, user_defined_symbols=["<user>"], **LLAMA)
    spm("llama-no-prefix", "tokenizer.model", "bpe", "llama", {**llama, "add_prefix_space": False}, **LLAMA | {"add_dummy_prefix": False})

    for name, config in [("bert", {"do_lower_case": True}), ("bert-cased", {"do_lower_case": False, "tokenize_chinese_chars": False, "tokenizer_class": "BertTokenizer"}), ("bert-accents", {"do_lower_case": False, "strip_accents": True}), ("mpnet", {"tokenizer_class": "MPNetTokenizer"})]:
        folder = out / name
        if small and name not in SMALL:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        kind = "mpnet" if name == "mpnet" else "bert"
        words(folder, text, size, MPNET if kind == "mpnet" else BERT)
        write(folder, "tokenizer_config.json", config)
        write(folder, "config.json", {"model_type": kind})
    for name, kind, config, special in [
        ("gpt2", "gpt2", None, ["<|endoftext|>"]),
        ("gpt2-bos", "gpt2", {"add_bos_token": True, "add_prefix_space": True, "tokenizer_class": "GPT2Tokenizer"}, ["<|endoftext|>"]),
        ("roberta", "roberta", {"model_max_length": 512}, ROBERTA),
        ("bart", "bart", {"add_prefix_space": True, "trim_offsets": True}, ROBERTA),
        ("roberta-untrimmed", "roberta", {"trim_offsets": False, "tokenizer_class": "RobertaTokenizer"}, ROBERTA),
    ]:
        folder = out / name
        if small and name not in SMALL:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        byte_level(folder, text, size, special)
        if config is not None:
            write(folder, "tokenizer_config.json", config)
        write(folder, "config.json", {"model_type": kind})


def lines(text, count):
    """Mixed text: sentences, words of every script, emoji, control characters, special tokens, runs that tie."""
    choose = random.Random(7)
    sentences = [line for line in text.split("\n") if line.strip()]
    known = [chr(c) for c in range(0x33000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    scripts = [[c for c in known if start <= ord(c) < start + 0x80] for start in range(0, 0x33000, 0x80)]
    scripts = [block for block in scripts if block]
    odd = ["\u200b", "\u00ad", "\ufeff", "\u0000", "\x07", "\x7f", "\u0085", "\u2028", "\u3000", "\u00a0", "\t", "\r", "\n", "\ufffd", "\u200d", "\u0301", "\u0316"]
    emoji = ["😀", "👩‍👩‍👧‍👦", "🇩🇪", "🏳️‍🌈", "👍🏽", "❤️", "1️⃣", "🎉"]
    special = ["<s>", "</s>", "<pad>", "<mask>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "<|endoftext|>", "<extra_id_3>", "<user>"]

    def part():
        kind = choose.randrange(8)
        if kind <= 2:
            sentence = choose.choice(sentences)
            start = choose.randrange(len(sentence))
            return sentence[start : start + choose.randrange(80)]
        if kind <= 4:
            block = choose.choice(scripts)
            return "".join(choose.choice(block) for _ in range(choose.randrange(1, 12)))
        if kind == 5:
            return "".join(choose.choice(odd + emoji) for _ in range(choose.randrange(1, 5)))
        if kind == 6:
            return choose.choice(special)
        return choose.choice(["ab", "a", "th", "é", "ー", "0"]) * choose.randrange(1, 20)

    return [choose.choice(["", " ", "  "]).join(part() for _ in range(choose.randrange(1, 6))) for _ in range(count)]


def expected(tokenizer, text):
    made = tokenizer(text, return_offsets_mapping=True)
    tokens = zip(made["input_ids"], made["offset_mapping"], strict=True)
    return {"ids": " ".join(f"{id} {start} {end}" for id, (start, end) in tokens), "tokens": made.tokens()}


def main():
    text = open(sys.argv[1], encoding="utf-8-sig").read()
    out = ROOT / "src/input/text/fixtures/slow" if small else pathlib.Path(sys.argv[2])
    folders(out, text[:60_000] if small else text[:3_000_000], 600 if small else 4_000)
    texts = NASTY if small else NASTY + lines(text, int(sys.argv[3]))
    versions = {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__, "sentencepiece": sentencepiece.__version__}
    write(out, "texts.json", {"versions": versions, "texts": texts})
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if not any((folder / name).exists() for name in ("vocab.txt", "spm.model")):
            # Other classes are read from tokenizer.json only.
            for name in ("vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"):
                (folder / name).unlink(missing_ok=True)
            tokenizer.save_pretrained(folder)
            (folder / "special_tokens_map.json").unlink(missing_ok=True)
        pair = tokenizer(["one two"], ["three"])
        made = [expected(tokenizer, each) for each in texts]
        write(folder, "expected.jsonl", "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in [{"pair": pair["input_ids"][0]}, *made]))
        print(folder.name, type(tokenizer).__name__)


main()

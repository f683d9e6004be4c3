"""Prints the characters that the Rust library of transformers' fast tokenizers treats as marks and punctuation, and those that it
does not decompose although Unicode does: the tables of src/input/text/steps/character-classes.ts, as gaps and lengths in base 36.

    python scripts/oracle/character_classes.py
"""
import textwrap, unicodedata
from tokenizers import normalizers, pre_tokenizers

CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number] if number < 36 else base36(number // 36) + digits[number % 36]


def table(name, characters):
    ranges = []
    for code in map(ord, characters):
        if ranges and ranges[-1][1] == code:
            ranges[-1][1] += 1
        else:
            ranges.append([code, code + 1])
    before, numbers = 0, []
    for start, end in ranges:
        numbers += [start - before, end - start]
        before = end
    print(f"{name}, {len(characters)} characters:", *textwrap.wrap(" ".join(map(base36, numbers)), 120), sep="\n  ")


bert = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
accents, split = normalizers.StripAccents(), pre_tokenizers.Punctuation("isolated")
table("nonspacing", [c for c in CHARACTERS if bert.normalize_str(c) == ""])
table("combining", [c for c in CHARACTERS if accents.normalize_str(c) == ""])
table("punctuation", [c for c in CHARACTERS if len(split.pre_tokenize_str("a" + c)) == 2])

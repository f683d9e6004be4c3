"""Writes src/scores/metrics/fixtures/word-errors.json: word and character errors by jiwer, and texts normalized by
transformers' BasicTextNormalizer.

    python scripts/oracle/word_errors.py
"""
import json, pathlib

import jiwer
from transformers.models.whisper.english_normalizer import BasicTextNormalizer

OUT = pathlib.Path(__file__).parents[2] / "src/scores/metrics/fixtures/word-errors.json"
PAIRS = [
    ("Press 1, for sales.", "press one for  sales"),
    ("", "a b"),
    ("L'été [music] (rires) est là !", "l'été est la"),
    ("Ünïcode — ½ ﬁne a\u0301b", "unicode fine ab"),
    ("same words here", "same words here"),
    ("extra words are here now", "words here"),
]
normalize = BasicTextNormalizer()
texts, references = zip(*PAIRS)
pairs = [
    dict(text=a, reference=b, wer=jiwer.wer(b, a), cer=jiwer.cer(b, a), normalized=normalize(a)) for a, b in PAIRS
]
written = dict(pairs=pairs, wer=jiwer.wer(list(references), list(texts)), cer=jiwer.cer(list(references), list(texts)))
OUT.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n")

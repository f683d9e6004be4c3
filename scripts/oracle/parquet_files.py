"""Writes small parquet files with pyarrow, and their rows as JSON.

    python scripts/oracle/parquet_files.py src/input/data/parquet/fixtures
"""

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

out = Path(sys.argv[1])

FEATURES = {
    "sentence": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["unacceptable", "acceptable"], "_type": "ClassLabel"},
    "ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"},
    "idx": {"dtype": "int32", "_type": "Value"},
}

sentences = ["The cat sat.", "Über\tall \"quotes\" 🙂", "", None, "Sat cat the."] * 40
table = pa.table(
    {
        "sentence": pa.array(sentences),
        "label": pa.array([1, 0, -1, None, 0] * 40, pa.int64()),
        "ner_tags": pa.array([[0, 1], [1], [], None, [0]] * 40, pa.list_(pa.int64())),
        "idx": pa.array(range(200), pa.int32()),
        "score": pa.array([0.5, 1.25, None, -3.0, 5.0] * 40, pa.float64()),
        "parts": pa.array([{"a": "x", "b": [True]}] * 200),
    }
)
named = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})

for codec in ["NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"]:
    pq.write_table(named, out / f"rows-{codec.lower()}.parquet", compression=codec, row_group_size=150)
pq.write_table(named, out / "rows-v2.parquet", compression="SNAPPY", data_page_version="2.0")


def name(value, names):
    if isinstance(value, list):
        return [name(one, names) for one in value]
    return None if value in (None, -1) else names[value]


rows = table.to_pylist()
for row in rows:
    row["label"] = name(row["label"], FEATURES["label"]["names"])
    row["ner_tags"] = name(row["ner_tags"], FEATURES["ner_tags"]["feature"]["names"])
(out / "rows.json").write_text(json.dumps(rows[:10], ensure_ascii=False))

# A few KB that decompress to 96 MB.
bomb = pa.table({"sentence": pa.array(["a" * 96_000_000])})
pq.write_table(bomb, out / "bomb.parquet", compression="ZSTD", use_dictionary=False, write_statistics=False)

# Integers and decimals that a double cannot represent.
large = [1234567890123456789, 1234567890123456788, -5, None]
wide = [Decimal("12345678901234567890.1230"), Decimal("12345678901234567890.1231"), Decimal("-0.0500"), None]
numbers = pa.table(
    {
        "id": pa.array(large, pa.int64()),
        "unsigned": pa.array([2**64 - 1, 2**53 + 1, 5, None], pa.uint64()),
        "amount": pa.array(wide, pa.decimal128(38, 4)),
        "nested": pa.array([{"amounts": [1]}] * 4),
        "key": pa.array([Decimal(n) if n is not None else None for n in large], pa.decimal128(38, 0)),
        "price": pa.array([Decimal("1.50"), Decimal("-2.25"), Decimal("0.00"), None], pa.decimal128(9, 2)),
    }
)
pq.write_table(numbers, out / "numbers.parquet")

# Pictures as data sets of the Hub store them: bytes in a struct, with paths that may repeat or be missing. The last row
# has an absolute path without bytes, the one before it damaged bytes. The column `raw` has bytes without a struct.
def picture(color):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), color).save(buffer, "PNG")
    return buffer.getvalue()


content = [picture((250, 10 * i, 0)) if i % 2 else picture((0, 10 * i, 250)) for i in range(8)]
paths = ["a.png", "a.png", None, "b/c.png", "a.txt", None, "g.png", "h.png"]
features = {"image": {"_type": "Image"}, "label": {"names": ["blue", "red"], "_type": "ClassLabel"}}
pictures = pa.table(
    {
        "image": pa.array(
            [{"bytes": one, "path": path} for one, path in zip(content, paths)]
            + [{"bytes": b"damaged", "path": "d.png"}, {"bytes": None, "path": "/beside.png"}],
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        ),
        "raw": pa.array([*content, b"\xff\x00", None], pa.binary()),
        "label": pa.array([i % 2 for i in range(10)], pa.int64()),
        "caption": pa.array([f"picture {i}" for i in range(10)]),
    }
).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
pq.write_table(pictures, out / "images.parquet", row_group_size=4)

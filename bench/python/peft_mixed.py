"""Predicts with many LoRA adapters in one batch (PEFT's `adapter_names`), on request (serve.py):

    {"op": "prepare", "model": FOLDER, "folder": FOLDER, "adapters": [NAME...], "data": FILE, "texts": 100, "threads": 2}
    {"op": "predict", "mixed": true, "rows": 500} -> {"rows", "ms"}: in batches of 32, sorted by length within each 1000
"""

import time
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoTokenizer

from fine_tuning import load_base, quiet
from serve import serve

BATCH = 32


class Server:
    def prepare(self, model, folder, adapters, data, texts, threads):
        torch.set_num_threads(threads)
        quiet()
        lines = Path(data).read_text().splitlines()[:texts]
        self.texts = [line.split("\t")[3] for line in lines]
        self.adapters = adapters
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        first, *others = adapters
        self.model = PeftModel.from_pretrained(load_base(model), f"{folder}/{first}", adapter_name=first)
        for name in others:
            self.model.load_adapter(f"{folder}/{name}", adapter_name=name)
        self.model.eval()
        return {}

    @torch.no_grad()
    def predict(self, mixed, rows):
        start = time.perf_counter()
        names = self.adapters if mixed else self.adapters[:1]
        asked = [(self.texts[i // len(names) % len(self.texts)], names[i % len(names)]) for i in range(rows)]
        for begin in range(0, rows, 1000):
            group = sorted(asked[begin : begin + 1000], key=lambda row: len(row[0]))
            for first in range(0, len(group), BATCH):
                texts, adapters = zip(*group[first : first + BATCH])
                options = dict(truncation=True, max_length=128, padding=True, return_tensors="pt")
                inputs = self.tokenizer(list(texts), **options)
                if mixed:
                    inputs["adapter_names"] = list(adapters)
                self.model(**inputs).logits.softmax(-1).tolist()
        return {"rows": rows, "ms": round((time.perf_counter() - start) * 1000, 2)}


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, predict=server.predict)

"""Predicts the labels of a development set from its texts with a PEFT adapter, on request (serve.py):

    {"op": "prepare", "model": FOLDER, "adapter": FOLDER, "data": GLUE_FOLDER, "task": "cola" | "mrpc",
     "dtype": "float32" | "bfloat16", "batch": 64, "threads": 2}
    {"op": "predict"} -> {"examples", "ms", "labels": [the most likely of each text]}
    {"op": "memory"}  -> {"peak_mb", "baseline_mb"}  (baseline: after the imports, before the model)
"""

import time

import torch
from peft import PeftModel
from transformers import AutoTokenizer

from fine_tuning import load_base, quiet
from glue import TASKS, read
from memory import peak_mb, resident_mb
from serve import serve
from tuner import autocast


class Server:
    def __init__(self):
        self.baseline_mb = resident_mb()

    def prepare(self, model, adapter, data, task, dtype, batch, threads):
        torch.set_num_threads(threads)
        quiet()
        self.task, self.dtype, self.batch = TASKS[task], dtype, batch
        self.columns, _ = read(data, self.task, "dev")
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.model = PeftModel.from_pretrained(load_base(model), adapter).eval()
        return {}

    @torch.no_grad()
    def predict(self):
        start, labels = time.perf_counter(), []
        options = dict(truncation=True, max_length=self.task.max_length, padding=True, return_tensors="pt")
        for first in range(0, len(self.columns[0]), self.batch):
            texts = [column[first : first + self.batch] for column in self.columns]
            with autocast(self.dtype):
                labels += self.model(**self.tokenizer(*texts, **options)).logits.argmax(-1).tolist()
        ms = round((time.perf_counter() - start) * 1000, 2)
        return {"examples": len(labels), "ms": ms, "labels": labels}

    def memory(self):
        return {"peak_mb": peak_mb(), "baseline_mb": self.baseline_mb}


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, predict=server.predict, memory=server.memory)

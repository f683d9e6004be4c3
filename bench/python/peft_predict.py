"""Predicts the labels or the answers of a development set with a PEFT adapter, on request (serve.py):

    {"op": "prepare", "model": FOLDER, "adapter": FOLDER, "data": FILE_OR_GLUE_FOLDER, "task": "cola" | "mrpc" | "squad",
     "dev": FILE_WITH_QUESTIONS, "dtype": "float32" | "bfloat16", "batch": 64, "threads": 2}
    {"op": "predict"} -> {"examples", "ms", "labels": [the most likely of each text, or the answers]}
    {"op": "memory"}  -> {"peak_mb", "baseline_mb"}  (baseline: after the imports, before the model)
"""

import time

import torch
from peft import PeftModel
from transformers import AutoTokenizer

from fine_tuning import load_base, quiet
from glue import TASKS, read
import questions
from memory import peak_mb, resident_mb
from serve import serve
from tuner import autocast


class Server:
    def __init__(self):
        self.baseline_mb = resident_mb()

    def prepare(self, model, adapter, data, task, dev, dtype, batch, threads):
        torch.set_num_threads(threads)
        quiet()
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        base = questions.load_base(model) if task == "squad" else load_base(model)
        self.model = PeftModel.from_pretrained(base, adapter).eval()
        if task == "squad":
            answers = questions.Answers(self.tokenizer, questions.read(dev), batch, dtype)
            self.predicted = lambda: answers.of(self.model)
        else:
            self.task, self.dtype, self.batch = TASKS[task], dtype, batch
            self.columns, _ = read(data, self.task, "dev")
            self.predicted = self.classes
        return {}

    def predict(self):
        start = time.perf_counter()
        labels = self.predicted()
        ms = round((time.perf_counter() - start) * 1000, 2)
        return {"examples": len(labels), "ms": ms, "labels": labels}

    @torch.no_grad()
    def classes(self):
        labels = []
        options = dict(truncation=True, max_length=self.task.max_length, padding=True, return_tensors="pt")
        for first in range(0, len(self.columns[0]), self.batch):
            texts = [column[first : first + self.batch] for column in self.columns]
            with autocast(self.dtype):
                labels += self.model(**self.tokenizer(*texts, **options)).logits.argmax(-1).tolist()
        return labels

    def memory(self):
        return {"peak_mb": peak_mb(), "baseline_mb": self.baseline_mb}


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, predict=server.predict, memory=server.memory)

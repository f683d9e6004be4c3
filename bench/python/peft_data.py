"""Fine-tunes with PEFT on real data, a block of steps and an evaluation on request (serve.py):

    {"op": "prepare", "model": FOLDER, "data": FILE_OR_GLUE_FOLDER, "task": "cola" | "mrpc" | "squad",
     "dev": FILE_WITH_QUESTIONS_TO_EVALUATE, "dtype": "float32" | "bfloat16", "block_steps": 20, "eval_batch": 64, "threads": 2, "group_by_length": true}
    {"op": "block"}   -> {"train": {"examples", "ms"}, "evaluate": {"examples", "ms"}}
    {"op": "memory"}  -> {"peak_mb", "baseline_mb"}  (baseline: after the imports, before the model)

AdaLoRA as in fine_tuning.py, but the budget falls from the end of the first block.
"""

import itertools
import time

import torch

from fine_tuning import FineTuning
from memory import peak_mb, resident_mb
from questions import QuestionTuning
from serve import serve


class Server:
    def __init__(self):
        self.baseline_mb = resident_mb()

    def prepare(self, model, data, task, dev, dtype, block_steps, eval_batch, threads, group_by_length):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        settings = dict(tinit=block_steps, eval_batch=eval_batch, dtype=dtype, group_by_length=group_by_length)
        squad = task == "squad"
        self.tuning = QuestionTuning(model, data, dev, **settings) if squad else FineTuning(model, data, task, "adalora", **settings)
        self.batches = itertools.chain.from_iterable(itertools.repeat(self.tuning.training))
        self.block_steps = block_steps
        return {}

    def block(self):
        start = time.perf_counter()
        batches = itertools.islice(self.batches, self.block_steps)
        trained = sum(self.tuning.step(batch) for batch in batches)
        middle = time.perf_counter()
        self.tuning.evaluate()
        end = time.perf_counter()
        return {"train": timed(trained, start, middle), "evaluate": timed(self.tuning.evaluated, middle, end)}

    def memory(self):
        return {"peak_mb": peak_mb(), "baseline_mb": self.baseline_mb}


def timed(examples, start, end):
    return {"examples": examples, "ms": round((end - start) * 1000, 2)}


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, block=server.block, memory=server.memory)

"""Fine-tunes with PEFT in f32, as in fine_tuning.py. Prints one JSON line per epoch: metrics, examples per second, peak
memory.

    python peft_train.py --model FOLDER --data GLUE_FOLDER --task cola|mrpc --method adalora|lora
                         [--seed N] [--epochs N] [--max-steps N] [--threads N]

`--max-steps` stops early to measure speed, on the schedule of the whole run.
"""

import argparse
import json
import time

import torch

from fine_tuning import LEARNING_RATE, FineTuning
from glue import TASKS
from memory import peak_mb


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    tuning = FineTuning(
        arguments.model, arguments.data, arguments.task, arguments.method, epochs=arguments.epochs
    )
    run = {"task": arguments.task, "method": arguments.method, "seed": arguments.seed}
    last = min(arguments.max_steps or tuning.total, tuning.total)
    for epoch in range(1, tuning.epochs + 1):
        start, examples = time.perf_counter(), 0
        for batch in tuning.training:
            examples += tuning.step(batch)
            if tuning.steps == last:
                break
        seconds = time.perf_counter() - start
        speed = {"examples_per_second": round(examples / seconds, 1), "peak_mb": peak_mb()}
        scores = {} if arguments.max_steps else tuning.evaluate()
        print(json.dumps({**run, "epoch": epoch, "step": tuning.steps, **speed, **scores}), flush=True)
        if tuning.steps == last:
            return


def parse():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--method", required=True, choices=LEARNING_RATE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()

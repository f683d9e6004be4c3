"""peft_step.py in the processes of torchrun, which share each batch through gloo: DistributedDataParallel with a thread each.

    torchrun --standalone --nproc-per-node=2 peft_step_processes.py

Process 0 reads the requests. `step` also returns "processes", without waiting times: DistributedDataParallel sums gradients
during the backward pass.
"""

import os
import sys
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from memory import proportional_mb
from peft_step import Server
from serve import serve
from tuner import train_step


class SharedServer(Server):
    def prepare(self, batch, threads=1, folder=None, name=None, **settings):
        answer = super().prepare(batch=batch // dist.get_world_size(), threads=threads, **settings)
        self.shared = DistributedDataParallel(self.model)
        self.shared.after_step = self.model.after_step
        return answer

    def step(self):
        batch = self.random_batch()
        dist.barrier()
        start = time.perf_counter()
        self.step_number += 1
        train_step(self.shared, self.optimizer, batch, self.step_number)
        ms = round((time.perf_counter() - start) * 1000, 2)
        return {"ms": ms, "processes": [{"waiting": 0, "transfer": 0}]}

    def memory(self):
        total = torch.tensor(proportional_mb())
        dist.all_reduce(total)
        return {"shared_mb": total.item()}


def from_first(lines):
    """Process 0 reads requests; all processes yield them."""
    lines = iter(lines)
    while True:
        line = [next(lines, None) if dist.get_rank() == 0 else None]
        dist.broadcast_object_list(line, src=0)
        if line[0] is None:
            return
        yield line[0]


if __name__ == "__main__":
    dist.init_process_group("gloo")
    if dist.get_rank() > 0:
        sys.stdout = open(os.devnull, "w")
    server = SharedServer()
    serve(from_first(sys.stdin), prepare=server.prepare, step=server.step, memory=server.memory)
    dist.destroy_process_group()

"""Writes the files of `src/input/formats/pickle/fixtures`: outputs of `torch.save`, and pickles that must be rejected.

    python scripts/oracle/pickles.py src/input/formats/pickle/fixtures && npx biome format --write src/input/formats/pickle/fixtures
"""

import collections
import json
import os
import pathlib
import sys

import torch


class Evil:
    """An object that runs a command when Python unpickles it."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def tensors():
    matrix = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 8
    return collections.OrderedDict(
        matrix=matrix,
        transposed=matrix.t(),  # shares the storage of `matrix`
        columns=matrix[1:, ::2],
        rows=matrix[1:],
        tied=matrix,
        permuted=torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        parameter=torch.nn.Parameter(torch.tensor([1.5, -2.5])),
        scalar=torch.tensor(0.1),
        empty=torch.zeros(0, 5),
        half=torch.tensor([0.1, -65504.0], dtype=torch.float16),
        brain=torch.tensor([[0.1, 3e38]], dtype=torch.bfloat16).t(),
        double=torch.tensor([0.1], dtype=torch.float64),
        long=torch.tensor([-(2**53) - 1, 7]),
        position_ids=torch.arange(4).expand((1, -1)),
        int=torch.tensor([-7], dtype=torch.int32),
        short=torch.tensor([-300], dtype=torch.int16),
        char=torch.tensor([-3], dtype=torch.int8),
        byte=torch.tensor([200], dtype=torch.uint8),
        bool=torch.tensor([True, False]),
    )


def described(values):
    """Returns shape and elements of every tensor as JSON can store them (64-bit integers as text)."""
    text = {torch.int64: str}
    return {
        name: {"shape": list(t.shape), "values": [text.get(t.dtype, float)(x) for x in t.flatten().tolist()]}
        for name, t in values.items()
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(0)
    values = tensors()
    torch.save(values, folder / "tensors.bin")
    torch.save(dict(values), folder / "protocol-4.bin", pickle_protocol=4)
    torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "state-dict.bin")
    path = "base_model.model.query.lora_"
    torch.save({f"{path}A.weight": torch.ones(1, 2), f"{path}B.weight": torch.tensor([[0.5], [3]])}, folder / "adapter.bin")
    torch.save({"state_dict": {"weight": torch.ones(2)}, "epoch": 3}, folder / "nested.bin")
    evil = {"weight": torch.ones(2), "evil": Evil()}
    torch.save(evil, folder / "evil.bin")
    torch.save(torch.nn.Linear(2, 3), folder / "module.bin")
    torch.save({"step": 3, "weight": torch.ones(2)}, folder / "numbers.bin")
    torch.save(torch.ones(1).expand(4), folder / "expanded.bin")
    expected = {"torch": torch.__version__, "tensors": described(values)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()

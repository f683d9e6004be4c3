"""Writes src/input/formats/fixtures/quantized.json: one weight in the layouts of AutoGPTQ, AutoAWQ and bitsandbytes, with
the floats that these packages compute from it on a CPU.

    pip install --no-deps bitsandbytes==0.50.2 auto-gptq==0.7.1 && pip download --no-deps autoawq==0.2.9
    python scripts/oracle/quantized.py FOLDER_OF_AUTO_GPTQ FOLDER_OF_AUTOAWQ

The two modules are loaded from their files, because their packages import kernels for GPUs.
"""
import base64, importlib.util, json, sys

import bitsandbytes.functional as bnb
import torch

OUTPUTS, INPUTS, GROUP = 32, 64, 32
torch.manual_seed(0)
weight = torch.randn(OUTPUTS, INPUTS) * 0.1


def load(path):
    spec = importlib.util.spec_from_file_location("loaded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gptq = load(f"{sys.argv[1]}/nn_modules/qlinear/qlinear_cuda.py")
awq = load(f"{sys.argv[2]}/awq/utils/packing_utils.py")
NAMES = {torch.int32: "I32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.int8: "I8", torch.uint8: "U8"}


def encode(tensor):
    tensor = tensor.contiguous()
    data = base64.b64encode(tensor.view(torch.uint8).numpy().tobytes()).decode() if tensor.dim() else None
    return {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data": data}


def grouped(bits, group_of):
    """Scales and zero points [outputs, groups]."""
    groups = int(group_of.max()) + 1
    low = torch.stack([weight[:, group_of == g].min(1).values for g in range(groups)], 1).clamp(max=0)
    high = torch.stack([weight[:, group_of == g].max(1).values for g in range(groups)], 1).clamp(min=0)
    scales = ((high - low) / (2**bits - 1)).half().float()
    return scales, torch.round(-low / scales).clamp(1, 2**bits - 1)


cases = []


def add(name, settings, tensors, expected):
    all = {f"layer.{key}": encode(value) for key, value in tensors.items()}
    cases.append({"name": name, "settings": settings, "tensors": all, "expected": encode(expected)})


for bits, order, format in [(4, "given", "gptq"), (4, "by activations", "gptq"), (8, "given", "gptq"), (2, "given", "gptq"), (4, "given", "gptq_v2")]:
    group_of = torch.arange(INPUTS) // GROUP
    if order != "given":
        group_of = group_of[torch.randperm(INPUTS)]
    scales, zeros = grouped(bits, group_of)
    layer = gptq.QuantLinear(bits, GROUP, INPUTS, OUTPUTS, bias=False, weight_dtype=torch.float16)
    linear = torch.nn.Linear(INPUTS, OUTPUTS, bias=False)
    linear.weight.data = weight.clone()
    layer.pack(linear, scales.clone(), zeros.clone(), group_of.int())
    layer.scales = layer.scales.half()
    expected = layer(torch.eye(INPUTS).half()).T
    tensors = {"qweight": layer.qweight, "qzeros": layer.qzeros, "scales": layer.scales, "g_idx": layer.g_idx}
    if format == "gptq_v2":
        tensors["qzeros"] = layer.qzeros + 0x11111111
        del tensors["g_idx"]
    settings = {"quant_method": "gptq", "bits": bits, "group_size": GROUP, "desc_act": order != "given", "checkpoint_format": format}
    add(f"{format} with {bits} bits, order {order}", settings, tensors, expected)

scales, zeros = grouped(4, torch.arange(INPUTS) // GROUP)
scales, zeros = scales.T.half(), zeros.T.int()
integers = torch.round(weight.T / scales.float().repeat_interleave(GROUP, 0)).int() + zeros.repeat_interleave(GROUP, 0)
integers = integers.clamp(0, 15)


def pack(values):
    shifted = [values[:, place::8] << (4 * k) for k, place in enumerate(awq.AWQ_ORDER)]
    return torch.stack(shifted).sum(0).to(torch.int32)


tensors = {"qweight": pack(integers), "qzeros": pack(zeros), "scales": scales}
expected = awq.dequantize_gemm(tensors["qweight"], tensors["qzeros"], scales, 4, GROUP).T
add("awq", {"quant_method": "awq", "bits": 4, "group_size": GROUP, "version": "gemm", "zero_point": True}, tensors, expected)

bytes, rows, _ = bnb.int8_vectorwise_quant(weight.half())
expected = bnb.int8_vectorwise_dequant(bytes, rows).half()
settings = {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}
add("bitsandbytes with 8 bits", settings, {"weight": bytes, "SCB": rows}, expected)

for type, nested in [("nf4", True), ("nf4", False), ("fp4", False)]:
    data, state = bnb.quantize_4bit(weight.bfloat16(), blocksize=64, compress_statistics=nested, quant_type=type)
    tensors = {"weight": data, **{f"weight.{key}": value for key, value in state.as_dict(packed=True).items()}}
    settings = {"quant_method": "bitsandbytes", "load_in_8bit": False, "load_in_4bit": True, "bnb_4bit_quant_type": type}
    add(f"bitsandbytes with {type}{' and nested scales' if nested else ''}", settings, tensors, bnb.dequantize_4bit(data, state))

with open("src/input/formats/fixtures/quantized.json", "w") as file:
    json.dump(cases, file)

"""Outputs of transformers' generate for the small language models of the tests: src/program/generation/fixtures/models.json.

    npx tsx scripts/oracle/small-generators.ts FOLDER && python scripts/oracle/model_generation_cases.py FOLDER > \
        src/program/generation/fixtures/models.json && npx biome format --write src/program/generation/fixtures

Every case must give the same output with noise on the weights, so that no case depends on rounding. With a second argument, the
fixture, the script compares and writes nothing.
"""
import json, pathlib, platform, sys, warnings
import torch, transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

# Prompts of different lengths. Some are longer than the models' attention windows.
PROMPTS = [[1, 5, 9, 14, 3, 22], [1, 7], [1, 13, 4, 13, 4, 8, 19, 20, 6, 11], [17]]
SETTINGS = [
    ([0], {}), ([0, 1], {}), ([2, 0, 3], {"max_new_tokens": 20}),
    ([0, 1], {"eos_token_id": [2, 5, 9, 12, 17, 21], "max_new_tokens": 14}),
    ([0, 1], {"min_new_tokens": 8, "eos_token_id": [2, 5, 9, 12, 17, 21]}),
    ([0, 1], {"min_length": 12, "eos_token_id": [2, 6, 11, 14, 20], "max_length": 16}),
    ([2, 1], {"repetition_penalty": 1.6}), ([0, 2], {"no_repeat_ngram_size": 2, "max_new_tokens": 16}),
    ([3], {"forced_bos_token_id": 8}), ([0, 1], {"forced_eos_token_id": 2, "max_new_tokens": 6}),
    ([0, 1], {"bad_words_ids": [[5], [9, 12], [3, 3]], "suppress_tokens": [4, 17]}),
    ([2, 1], {"encoder_no_repeat_ngram_size": 2}),
    ([0], {"num_beams": 4, "early_stopping": True, "eos_token_id": [2, 5, 9, 12]}),
    ([0, 1], {"num_beams": 3, "num_return_sequences": 3, "eos_token_id": [2, 5, 9, 12, 17]}),
    ([2, 0, 3], {"num_beams": 3, "length_penalty": 2.0, "no_repeat_ngram_size": 3, "eos_token_id": [2, 6, 11], "max_new_tokens": 14}),
    ([0, 1], {"num_beams": 2, "length_penalty": -1.0, "early_stopping": "never", "eos_token_id": [2, 5, 9, 12, 17, 21]}),
    ([1, 2], {"num_beams": 4, "min_new_tokens": 6, "forced_eos_token_id": 2, "eos_token_id": [2, 5, 9], "num_return_sequences": 2}),
    ([0, 2], {"num_beams": 3, "repetition_penalty": 1.4, "renormalize_logits": True, "encoder_no_repeat_ngram_size": 3}),
]
PAD, NOISE = 0, 1e-5


def noisy(model):
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1 + NOISE * torch.randn(weight.shape, generator=draw))
    return model


def padded(prompts, left):
    length = max(map(len, prompts))
    fill = lambda p, value: [value] * (length - len(p)) + p if left else p + [value] * (length - len(p))
    return {"input_ids": torch.tensor([fill(p, PAD) for p in prompts]), "attention_mask": torch.tensor([fill([1] * len(p), 0) for p in prompts])}


def cases(folder):
    for path in sorted(pathlib.Path(folder).iterdir()):
        is_encoder_decoder = AutoConfig.from_pretrained(path).is_encoder_decoder
        kind = AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM
        models = [change(kind.from_pretrained(path, attn_implementation="eager").eval()) for change in (lambda model: model, noisy)]
        for prompts, user in SETTINGS:
            user = user if {"max_length", "max_new_tokens"} & user.keys() else {"max_new_tokens": 10, **user}
            inputs = padded([PROMPTS[i] for i in prompts], not is_encoder_decoder)
            with torch.no_grad():
                ids, others = (model.generate(**inputs, do_sample=False, **user).tolist() for model in models)
            assert ids == others, ("hangs on a rounding", path.name, user)
            yield {"model": path.name, "prompts": prompts, "user": user, "ids": [" ".join(map(str, row)) for row in ids]}


def main(folder, fixture=None):
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}
    expected = fixture and json.loads(pathlib.Path(fixture).read_text())
    # Versions differ: 4.57 also penalizes padding, for example.
    if expected and expected["versions"]["transformers"] != transformers.__version__:
        print(f"skipped: the fixture is of transformers {expected['versions']['transformers']}, not {transformers.__version__}")
        return
    found = {"versions": versions, "prompts": PROMPTS, "cases": list(cases(folder))}
    if expected is None:
        print(json.dumps(found))
        return
    assert found["cases"] == expected["cases"], "the fixture is not what transformers finds"
    print(f"{len(found['cases'])} texts as in {fixture}")


if __name__ == "__main__":
    main(*sys.argv[1:])

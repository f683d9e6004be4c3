"""Writes src/program/generation/fixtures/oracle.json: outputs of transformers' generate for language models that are small tables.

    python scripts/oracle/generation_cases.py && npx biome format --write src/program/generation/fixtures

The logits after tokens a, b are row a * VOCAB + b of the table (a is 0 if b is the first token that is not padding). With an
encoder it is row (a + s) % VOCAB * VOCAB + b, where s is the sum of the prompt's tokens. Every case must give the same output
with noise on the table, so that no case depends on rounding.
"""
import itertools, json, pathlib, platform, warnings
import torch, transformers
from transformers import GenerationConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput, Seq2SeqLMOutput

OUT = pathlib.Path(__file__).parents[2] / "src/program/generation/fixtures/oracle.json"
VOCAB, SCALE, NOISE = 16, 128, 1e-5
PAD, BOS, EOS = 0, 1, 2
TOKENS = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS, "decoder_start_token_id": EOS}
# Models' generation_config.json.
FILES = {
    "tokens": TOKENS, "empty": {}, "pad": {"pad_token_id": 3},
    "summary": {**TOKENS, "num_beams": 4, "length_penalty": 2.0, "early_stopping": True, "no_repeat_ngram_size": 3, "min_length": 6, "max_length": 14,
                "forced_bos_token_id": 1, "forced_eos_token_id": 2, "temperature": 0.5, "top_k": None, "typical_p": 1.0},
}
# Rows of different lengths; the first ones have a common prefix.
PROMPTS = [[1, 5, 9], [1, 7, 7, 7, 12, 11], [6], [13, 4, 13, 4, 8], [10, 2, 15, 14]]
# Rows without ties. The end token is slightly more likely, so that beams end at different steps.
draw = torch.Generator().manual_seed(3)
table = torch.stack([2 * torch.randperm(2 * SCALE, generator=draw)[:VOCAB] - 2 * SCALE for _ in range(VOCAB * VOCAB)])
table[:, EOS] += SCALE + 1
table = table / SCALE


class TableConfig(PreTrainedConfig):
    model_type = "table"
    vocab_size: int = VOCAB


class TableModel(PreTrainedModel, GenerationMixin):
    config_class, main_input_name = TableConfig, "input_ids"

    def __init__(self, config, rows):
        super().__init__(config)
        self.rows = torch.nn.Parameter(rows, requires_grad=False)

    def forward(self, input_ids, attention_mask=None, **_):
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        ids = torch.nn.functional.pad(input_ids * mask, (1, 0))
        return CausalLMOutput(logits=self.rows[ids[:, -2] * VOCAB + ids[:, -1]][:, None])


class TableEncoder(torch.nn.Module):
    main_input_name = "input_ids"

    def forward(self, input_ids, attention_mask, **_):
        return BaseModelOutput(last_hidden_state=(input_ids * attention_mask)[..., None].float())


class TableEncoderDecoder(TableModel):
    def __init__(self, config, rows):
        super().__init__(config, rows)
        self.encoder = TableEncoder()

    def get_encoder(self, modality=None):
        return self.encoder

    def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, encoder_outputs=None, **_):
        ids = torch.nn.functional.pad(decoder_input_ids, (1, 0))
        first = (ids[:, -2] + encoder_outputs.last_hidden_state.sum((1, 2)).long()) % VOCAB
        return Seq2SeqLMOutput(logits=self.rows[first * VOCAB + ids[:, -1]][:, None])


def padded(prompts, pad, left):
    length = max(map(len, prompts))
    fill = lambda p, value: [value] * (length - len(p)) + list(p) if left else list(p) + [value] * (length - len(p))
    return {"input_ids": torch.tensor([fill(p, pad) for p in prompts]), "attention_mask": torch.tensor([fill([1] * len(p), 0) for p in prompts])}


def generate(rows, prompts, user, file, encoder, positions, **more):
    config = TableConfig(is_encoder_decoder=encoder)
    if positions:
        config.max_position_embeddings = positions
    model = (TableEncoderDecoder if encoder else TableModel)(config, rows).eval()
    model.generation_config = GenerationConfig.from_dict(dict(file))
    eos, pad = ({**file, **user}.get(key) for key in ("eos_token_id", "pad_token_id"))
    if pad is None and eos is not None:   # generate pads its rows in this way; the caller pads the prompts
        pad = eos if isinstance(eos, int) else eos[0]
    with torch.no_grad():
        return model.generate(**padded(prompts, pad or 0, not encoder), **user, use_cache=False, **more)


def case(prompts, user, file="tokens", encoder=False, positions=None):
    ids, noisy = (generate(rows, [PROMPTS[i] for i in prompts], user, FILES[file], encoder, positions).tolist()
                  for rows in (table, table + NOISE * torch.randn(table.shape, generator=torch.Generator().manual_seed(1))))
    assert ids == noisy, ("hangs on a rounding", user)
    return {"prompts": prompts, "user": user, **({} if file == "tokens" else {"file": file}), **({"encoder": True} if encoder else {}),
            **({"positions": positions} if positions else {}), "ids": [" ".join(map(str, row)) for row in ids]}


def distribution(user, prompt=PROMPTS[3]):
    """The distribution from which the first token is sampled."""
    scores = generate(table, [prompt], {"do_sample": True, "max_new_tokens": 1, **user}, TOKENS, False, None, output_scores=True, return_dict_in_generate=True).scores[0]
    return {"prompt": prompt, "user": user, "probabilities": [float(f"{p:.7g}") for p in scores.softmax(-1)[0]]}


def cases():
    new = lambda n=8, **user: {"max_new_tokens": n, **user}
    for prompts, encoder in itertools.product(([1], [0, 1], [2, 3, 4]), (False, True)):
        yield case(prompts, new(), encoder=encoder)
        yield case(prompts, new(repetition_penalty=1.7), encoder=encoder)
        yield case(prompts, new(num_beams=3, repetition_penalty=1.7, num_return_sequences=2), encoder=encoder)
    # Every way to stop, with two prompts, and one or two end tokens.
    for eos, beams, early, penalty in itertools.product((EOS, [EOS, 7]), (2, 3, 4, 5), (False, True, "never"), (-1.0, 0.0, 1.0, 2.0)):
        user = new(8, num_beams=beams, early_stopping=early, length_penalty=penalty, num_return_sequences=1 + beams // 2)
        yield case([0, 1] if eos == EOS else [3, 2], {**user, "eos_token_id": eos}, encoder=beams % 2 == 1)
    changes = [dict(no_repeat_ngram_size=1), dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=3), dict(encoder_no_repeat_ngram_size=1),
               dict(encoder_no_repeat_ngram_size=2), dict(min_length=9), dict(min_new_tokens=8), dict(min_new_tokens=8, eos_token_id=[2, 7]),
               dict(forced_bos_token_id=5), dict(forced_eos_token_id=2), dict(forced_eos_token_id=[2, 6]),
               dict(forced_bos_token_id=5, forced_eos_token_id=2), dict(bad_words_ids=[[11], [2], [4, 8], [9, 9, 3]]),
               dict(suppress_tokens=[11, 3, 8]), dict(begin_suppress_tokens=[3, 10, 2, 8]),
               dict(begin_suppress_tokens=[3, 10, 2, 8], forced_bos_token_id=4), dict(renormalize_logits=True, no_repeat_ngram_size=2, suppress_tokens=[3]),
               dict(eos_token_id=[7, 2], pad_token_id=None), dict(pad_token_id=15),
               dict(no_repeat_ngram_size=2, min_length=8, repetition_penalty=0.6, forced_eos_token_id=2, bad_words_ids=[[12]])]
    for change, (prompts, encoder), beams in itertools.product(changes, (([0, 3], False), ([2], False), ([4, 2], True)), (1, 4)):
        if beams == 1 or not isinstance(change.get("forced_eos_token_id"), list):   # excludes ties, which torch.topk breaks arbitrarily
            yield case(prompts, new(num_beams=beams, **change), encoder=encoder)
    # Other settings of the length, and none.
    for beams in (1, 2):
        yield case([2, 3], {"num_beams": beams})
        yield case([2, 3], {"num_beams": beams}, positions=11)
        yield case([2, 3], {"num_beams": beams}, encoder=True, positions=11)
        yield case([2, 3], {"num_beams": beams, "max_length": 9})
        yield case([2, 3], {"num_beams": beams, "max_length": 9, "max_new_tokens": 7})
        yield case([0], {"num_beams": beams, "max_length": 9}, encoder=True)
        yield case([0], {"num_beams": beams, "max_new_tokens": 1, "forced_eos_token_id": 2}, encoder=True)
        yield case([2], {"num_beams": beams, "max_new_tokens": 9}, file="empty")
        yield case([2, 0], {"num_beams": beams, "max_new_tokens": 9}, file="pad")
    # The caller's keys override the model's file; None turns a key off.
    for user in ({}, {"num_beams": 1}, {"forced_eos_token_id": None, "forced_bos_token_id": None}, {"max_new_tokens": 5}, {"length_penalty": -1.0, "min_length": 0},
                 {"early_stopping": "never", "no_repeat_ngram_size": 0}, {"eos_token_id": None}, {"do_sample": False, "num_return_sequences": 4}):
        for encoder in (False, True):
            yield case([0, 3], user, "summary", encoder)


def legacy(config):
    read = GenerationConfig.from_model_config(dict(config)).to_dict()
    keys = {"forced_bos_token_id", "forced_eos_token_id", "max_length", "num_beams", "length_penalty", *TOKENS, "no_repeat_ngram_size"}
    return {"config": config, "expected": {k: v for k, v in read.items() if k in keys and v is not None}}


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")   # warnings about the default length, which some cases use
    distributions = [distribution(user) for user in [
        {}, {"temperature": 0.7}, {"temperature": 1.5, "top_k": 5}, {"top_k": 1}, {"top_k": 0, "top_p": 0.8}, {"top_k": 0, "top_p": 0.01}, {"top_k": 7, "top_p": 0.6},
        {"top_k": 0, "top_p": 0.95, "temperature": 2.0}, {"top_k": 0, "min_p": 0.2}, {"top_k": 6, "top_p": 0.9, "min_p": 0.3, "temperature": 0.9},
        {"repetition_penalty": 1.4, "top_k": 8, "temperature": 0.8}, {"no_repeat_ngram_size": 2, "top_p": 0.7}, {"suppress_tokens": [3, 9], "top_p": 0.5, "renormalize_logits": True}]]
    legacies = [legacy(c) for c in [
        {"model_type": "bart", **TOKENS, "forced_eos_token_id": 2, "max_length": 142, "num_beams": 4, "length_penalty": 2.0, "vocab_size": 16},
        {"model_type": "gpt2", "bos_token_id": 1, "eos_token_id": 2, "task_specific_params": {"text-generation": {"max_length": 50}}},
        {"model_type": "x", "bos_token_id": 3, "force_bos_token_to_be_generated": True, "no_repeat_ngram_size": 3},
        {"model_type": "x", "eos_token_id": 4, "text_config": {"eos_token_id": 5, "pad_token_id": 6}, "decoder": {"bos_token_id": 7, "eos_token_id": 8}},
        {"model_type": "x", "eos_token_id": None, "text_config": {"eos_token_id": 5, "pad_token_id": 6, "max_length": 60}}]]
    OUT.write_text(json.dumps({
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__},
        "vocab": VOCAB, "scale": SCALE, "table": [int(v * SCALE) for v in table.flatten()],
        "prompts": PROMPTS, "files": FILES, "cases": list(cases()), "distributions": distributions, "legacy": legacies}) + "\n")


if __name__ == "__main__":
    main()

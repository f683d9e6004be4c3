"""Writes the golden cases of src/models/fixtures, in the format and with the generator of the shared ones.

    python scripts/oracle/families.py [--shared ../shared/conformance] [CASE...] && npx biome format --write src/models/fixtures

Tiny random models of families that the shared cases lack: logits, loss, every gradient and generated ids, by transformers. Windows,
scalings and layers without rotation take effect within the batch. Dropout is 0.
"""
import argparse, pathlib, sys

HERE = pathlib.Path(__file__).parents[2]
OUT = HERE / "src/models/fixtures"
ENC = dict(vocab_size=41, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
           hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=60)
MODERN = dict(vocab_size=41, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=12, max_position_embeddings=60,
              local_attention=6, global_attn_every_n_layers=2, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
DEC = dict(vocab_size=41, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=20,
           max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)
GEMMA = dict(DEC, head_dim=6, num_hidden_layers=3, sliding_window=5, sliding_window_pattern=3, query_pre_attn_scalar=8)
LONG = dict(DEC, original_max_position_embeddings=16, rope_parameters={
    "rope_type": "longrope", "partial_rotary_factor": 0.5, "rope_theta": 100.0, "short_factor": [1.0, 1.5], "long_factor": [1.2, 7.0]})
ALBERT = dict(ENC, embedding_size=10, classifier_dropout_prob=0.0)
T5 = dict(vocab_size=41, d_model=16, d_kv=6, d_ff=20, num_layers=1, num_heads=2, dropout_rate=0.0, relative_attention_num_buckets=8,
          relative_attention_max_distance=9, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
GPT2 = dict(vocab_size=41, n_embd=16, n_layer=1, n_head=2, n_positions=40, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, pad_token_id=0,
            bos_token_id=1, eos_token_id=2)
NEOX = dict(DEC, num_key_value_heads=None, rotary_pct=0.5, classifier_dropout=0.0)
NEOX.pop("num_key_value_heads")
MODELS = {
    "mpnet-classification": ("mpnet", "SEQ_CLS", ENC, {}),
    "mpnet-span": ("mpnet", "QUESTION_ANS", ENC, {}),
    "mpnet-words": ("mpnet", "MASKED_LM", ENC, {}),
    "mpnet-tokens": ("mpnet", "TOKEN_CLS", dict(ENC, num_labels=3), {}),
    "modernbert-classification": ("modernbert", "SEQ_CLS", MODERN, {}),
    "modernbert-mean": ("modernbert", "SEQ_CLS", dict(MODERN, classifier_pooling="mean", norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True), {}),
    "modernbert-span": ("modernbert", "QUESTION_ANS", MODERN, {}),
    "modernbert-tokens": ("modernbert", "TOKEN_CLS", dict(MODERN, num_labels=3), {}),
    "modernbert-words": ("modernbert", "MASKED_LM", MODERN, {}),
    "gemma3-causal": ("gemma3_text", "CAUSAL_LM", GEMMA, {}),
    "gemma3-classification": ("gemma3_text", "SEQ_CLS", dict(GEMMA, attn_logit_softcapping=2.0, rope_parameters={
        "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 10.0}}), {}),
    "smollm3-causal": ("smollm3", "CAUSAL_LM", dict(DEC, no_rope_layer_interval=2, sliding_window=5, use_sliding_window=True), {}),
    "smollm3-span": ("smollm3", "QUESTION_ANS", dict(DEC, no_rope_layers=[0, 1]), {}),
    "phi3-causal": ("phi3", "CAUSAL_LM", dict(DEC, sliding_window=5), {}),
    "phi3-long": ("phi3", "CAUSAL_LM", LONG, {}),
    "phi3-tokens": ("phi3", "TOKEN_CLS", dict(LONG, original_max_position_embeddings=8, num_labels=3, classifier_dropout=0.0), {}),
    "albert-classification": ("albert", "SEQ_CLS", ALBERT, {}),
    "albert-groups": ("albert", "SEQ_CLS", dict(ALBERT, num_hidden_layers=4, num_hidden_groups=2, inner_group_num=2), {}),
    "albert-span": ("albert", "QUESTION_ANS", ALBERT, {}),
    "albert-tokens": ("albert", "TOKEN_CLS", dict(ALBERT, num_labels=3), {}),
    "albert-words": ("albert", "MASKED_LM", ALBERT, {}),
    "neox-causal": ("gpt_neox", "CAUSAL_LM", NEOX, {}),
    "neox-sequential": ("gpt_neox", "CAUSAL_LM", dict(NEOX, use_parallel_residual=False, attention_bias=False, rotary_pct=1.0), {}),
    "neox-tokens": ("gpt_neox", "TOKEN_CLS", dict(NEOX, num_labels=3), {}),
    "neox-classification": ("gpt_neox", "SEQ_CLS", NEOX, {}),
    "neox-span": ("gpt_neox", "QUESTION_ANS", NEOX, {}),
    "phi3-classification": ("phi3", "SEQ_CLS", dict(DEC, sliding_window=5), {}),
    "smollm3-classification": ("smollm3", "SEQ_CLS", dict(DEC, no_rope_layers=[1, 0]), {}),
    # transformers ties the output weights of T5 whatever config.json says.
    "t5-unscaled": ("t5", "SEQ_2_SEQ_LM", dict(T5, tie_word_embeddings=False), {}),
    # A checkpoint with output weights of its own has them, although config.json ties them.
    "t5-own-words": ("t5", "SEQ_2_SEQ_LM", T5, {}),
    "gpt2-own-words": ("gpt2", "CAUSAL_LM", GPT2, {}),
    "bert-own-words": ("bert", "MASKED_LM", ENC, {}),
    "neox-tied": ("gpt_neox", "CAUSAL_LM", dict(NEOX, tie_word_embeddings=True), {}),
}
# Longer than a window, or than the range of distances with separate buckets.
LENGTHS = {"mpnet": 40}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", default=str(HERE.parent / "shared/conformance"))
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    sys.path.insert(0, options.shared)
    import generate, torch
    from transformers import AutoModelForMaskedLM, AutoModelForTokenClassification

    generate.HEADS |= {"MASKED_LM": AutoModelForMaskedLM, "TOKEN_CLS": AutoModelForTokenClassification}
    make_batch = generate.make_batch

    def batch_of(task, config, seed, batch=3):
        made = make_batch(task, config, seed, batch, LENGTHS.get(config.model_type, 12))
        if task in ("MASKED_LM", "TOKEN_CLS"):
            classes = config.vocab_size if task == "MASKED_LM" else config.num_labels
            labels = torch.randint(0, classes, made["input_ids"].shape, generator=torch.Generator().manual_seed(seed + 1))
            made["labels"] = torch.where(made["attention_mask"].bool(), labels, -100)
        return made

    make_model = generate.make_model

    def model_of(model_type, task, config, seed):
        model = make_model(model_type, task, config, seed)
        if name.endswith("-own-words"):
            words = model.get_output_embeddings()
            noise = torch.randn(words.weight.shape, generator=torch.Generator().manual_seed(seed + 1))
            words.weight = torch.nn.Parameter(noise / words.weight.shape[-1] ** 0.5)
        return model

    generate.make_batch = batch_of
    generate.make_model = model_of
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for i, (name, spec) in enumerate(MODELS.items()):
        if not options.cases or name in options.cases:
            generate.model_case(OUT, name, *spec, seed=300 + i)
            print(name)
    import platform, transformers

    generate.dump(OUT / "versions.json", {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__})


if __name__ == "__main__":
    main()

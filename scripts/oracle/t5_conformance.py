"""Writes golden cases of T5 for `npm run conformance -- OUT` in the format and with the generator of the shared ones.

    python scripts/oracle/t5_conformance.py OUT [../shared/conformance]

Two models (ReLU with tied embeddings; gated GELU without) on texts whose distances exceed the table of relative positions,
and a training of each method.
"""
import pathlib, sys

sys.path.insert(0, sys.argv[2] if len(sys.argv) > 2 else str(pathlib.Path(__file__).parents[3] / "shared/conformance"))
import generate

SIZES = dict(vocab_size=97, d_model=32, d_kv=10, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
             relative_attention_num_buckets=8, relative_attention_max_distance=9, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
GATED = dict(SIZES, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
MODELS = {"t5-relu-tied": ("t5", "SEQ_2_SEQ_LM", SIZES, {}), "t5-gated": ("t5", "SEQ_2_SEQ_LM", GATED, {})}
TRAJECTORIES = {
    "t5-adalora": ("t5", "SEQ_2_SEQ_LM", GATED, dict(kind="ADALORA", target_modules=["q", "k", "v", "o", "wi_0", "wi_1", "wo"], init_r=4, target_r=2, tinit=4,
                   tfinal=8, deltaT=2, orth_reg_weight=0.1, lora_alpha=16), dict(steps=20, lr=3e-3, weight_decay=0.0)),
    "t5-lora": ("t5", "SEQ_2_SEQ_LM", SIZES, dict(kind="LORA", target_modules=["q", "v"], r=4, lora_alpha=8), dict(steps=10, lr=3e-3, weight_decay=0.01)),
}

if __name__ == "__main__":
    generate.main(pathlib.Path(sys.argv[1]), MODELS, TRAJECTORIES)

"""Writes src/models/fixtures/module-names.json: the linear modules of every family with every head, by the names that transformers gives them
in memory, which are PEFT's names.

    python scripts/oracle/module_names.py && npx biome format --write src/models/fixtures/module-names.json
"""
import json, pathlib
import torch, transformers
from transformers.pytorch_utils import Conv1D

OUT = pathlib.Path(__file__).parents[2] / "src/models/fixtures/module-names.json"
HEADS = {
    "SEQ_CLS": transformers.AutoModelForSequenceClassification,
    "TOKEN_CLS": transformers.AutoModelForTokenClassification,
    "QUESTION_ANS": transformers.AutoModelForQuestionAnswering,
    "MASKED_LM": transformers.AutoModelForMaskedLM,
    "CAUSAL_LM": transformers.AutoModelForCausalLM,
    "SEQ_2_SEQ_LM": transformers.AutoModelForSeq2SeqLM,
    "FEATURE_EXTRACTION": transformers.AutoModel,
}
ENC = dict(vocab_size=41, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, max_position_embeddings=60)
DEC = dict(ENC, num_key_value_heads=1, pad_token_id=0, bos_token_id=1, eos_token_id=2)
GEMMA = dict(DEC, head_dim=6, sliding_window=5, query_pre_attn_scalar=8)
VISION = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, image_size=8, patch_size=4)
TOWERS = dict(vision_config=VISION, text_config=dict(ENC, vocab_size=41))
WHISPER = dict(vocab_size=41, num_mel_bins=5, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
               decoder_attention_heads=2, encoder_ffn_dim=20, decoder_ffn_dim=20, max_source_positions=6, pad_token_id=0,
               bos_token_id=1, eos_token_id=2, classifier_proj_size=8)
# A table in the architecture's own words where it has others.
SHAPES = {
    "albert": dict(ENC, embedding_size=10),
    "bart": dict(vocab_size=41, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
                 encoder_ffn_dim=20, decoder_ffn_dim=20, max_position_embeddings=60),
    "bert": ENC,
    "deberta-v2": dict(ENC, relative_attention=True, pos_att_type=["c2p", "p2c"], position_buckets=8, conv_kernel_size=0),
    "distilbert": dict(vocab_size=41, dim=16, n_layers=1, n_heads=2, hidden_dim=20, max_position_embeddings=60),
    "electra": dict(ENC, embedding_size=10),
    "gemma2": GEMMA,
    "gemma3_text": GEMMA,
    "gpt2": dict(vocab_size=41, n_embd=16, n_layer=1, n_head=2, n_positions=60, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "gpt_neox": dict(ENC, rotary_pct=0.5, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "llama": DEC,
    "mistral": DEC,
    "modernbert": dict(ENC, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2),
    "mpnet": ENC,
    "olmo2": DEC,
    "phi3": dict(DEC, original_max_position_embeddings=60),
    "qwen2": DEC,
    "qwen3": dict(DEC, head_dim=8),
    "roberta": ENC,
    "smollm3": DEC,
    "t5": dict(vocab_size=41, d_model=16, d_kv=8, d_ff=20, num_layers=1, num_decoder_layers=1, num_heads=2, decoder_start_token_id=0, eos_token_id=2),
    "xlm-roberta": ENC,
    "vit": VISION,
    "deit": VISION,
    "dinov2": VISION,
    "dinov2_with_registers": VISION,
    "clip": TOWERS,
    "clip_vision_model": VISION,
    "siglip": TOWERS,
    "siglip_vision_model": VISION,
    "whisper": WHISPER,
}


def heads_of(model_type):
    """Families of pictures and sounds have another auto class. AutoModel would give both towers, or a decoder."""
    if model_type == "whisper": return {"SEQ_CLS": transformers.AutoModelForAudioClassification}
    if SHAPES[model_type] not in (VISION, TOWERS): return HEADS
    heads = {"SEQ_CLS": transformers.AutoModelForImageClassification}
    return heads if model_type in ("clip", "siglip") else {**heads, "FEATURE_EXTRACTION": transformers.AutoModel}



def case(model_type, head, tie):
    fields = dict(SHAPES[model_type], tie_word_embeddings=tie)
    config = transformers.AutoConfig.for_model(model_type, **fields)
    try:
        with torch.device("meta"):
            model = heads_of(model_type)[head].from_config(config)
    except (ValueError, TypeError):  # the family has no such head
        return None
    words = model.get_output_embeddings()
    linears = {}
    for name, module in model.named_modules():
        if not isinstance(module, (torch.nn.Linear, Conv1D)): continue
        # A tied matrix of output weights is the table of word embeddings, which PEFT adapts as such.
        if model.config.tie_word_embeddings and module is words: continue
        shape = list(module.weight.shape)
        linears[name] = shape[::-1] if isinstance(module, Conv1D) else shape
    return {"head": head, "class": type(model).__name__, "config": {"model_type": model_type, **fields}, "linears": linears}


def main():
    transformers.logging.set_verbosity_error()
    cases = []
    for model_type in SHAPES:
        for head in heads_of(model_type):
            ties = [True, False] if head in ("CAUSAL_LM", "SEQ_2_SEQ_LM", "MASKED_LM") else [True]
            cases += [made for tie in ties if (made := case(model_type, head, tie))]
    OUT.write_text(json.dumps({"transformers": transformers.__version__, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()

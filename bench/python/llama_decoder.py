"""Generates with llama.cpp on request (serve.py), from a Llama checkpoint that is written as GGUF first:

    {"op": "prepare", "folder": a folder with config.json and model.safetensors, "dtype": "F32" | "Q8_0" | "Q4_0", "prompt": 64,
     "tokens": 32, "texts": 8, "threads": 2}  -> {"versions"}
    {"op": "round"}   -> {"prefill", "one", "many"}: milliseconds of a prompt, of the tokens after it, and of those of several texts
                         at once
    {"op": "memory"}  -> {"peak_mb"}

The search is greedy. Needs llama-cpp-python and gguf from PyPI. Call prepare once per process.
"""

import ctypes
import json
import pathlib
import time

import gguf
import llama_cpp
import numpy
from safetensors.numpy import load_file

from memory import peak_mb
from serve import serve

# Names of llama.cpp by those of Hugging Face, without the ends `.weight`.
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


class Server:
    def prepare(self, folder, dtype, prompt, tokens, texts, threads, **_):
        self.prompt, self.tokens, self.texts = prompt, tokens, texts
        llama_cpp.llama_log_set(SILENT, None)
        llama_cpp.llama_backend_init()
        settings = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(converted(pathlib.Path(folder), dtype, threads), settings)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx = texts * (prompt + tokens)
        context.n_batch = context.n_ubatch = texts * prompt
        context.n_seq_max = texts
        context.n_threads = context.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, context)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        return {"versions": {"llama_cpp": llama_cpp.__version__}}

    def round(self):
        prefill, one = self.generated(1)
        _, many = self.generated(self.texts)
        return {"prefill": prefill, "one": one, "many": many}

    def generated(self, rows):
        """Milliseconds for reading the prompts and for all later tokens together."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        start = time.perf_counter()
        prompts = [[(at * 7919 + 1) % self.vocabulary for at in range(row * self.prompt, (row + 1) * self.prompt)] for row in range(rows)]
        last = self.read(prompts, 0)
        read = time.perf_counter()
        self.written = [[token] for token in last]
        for at in range(self.prompt, self.prompt + self.tokens - 1):
            last = self.read([[token] for token in last], at)
            for texts, token in zip(self.written, last):
                texts.append(token)
        end = time.perf_counter()
        return round((read - start) * 1000, 2), round((end - read) * 1000, 2)

    def read(self, texts, position):
        """Reads the tokens of every text, and returns the likeliest token after each."""
        batch = llama_cpp.llama_batch_init(sum(map(len, texts)), 0, 1)
        ends = []
        for row, tokens in enumerate(texts):
            for offset, token in enumerate(tokens):
                at = batch.n_tokens
                batch.token[at], batch.pos[at] = token, position + offset
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, row
                batch.logits[at] = offset == len(tokens) - 1
                batch.n_tokens += 1
            ends.append(batch.n_tokens - 1)
        if llama_cpp.llama_decode(self.context, batch):
            raise RuntimeError("llama_decode failed")
        logits = [llama_cpp.llama_get_logits_ith(self.context, end) for end in ends]
        llama_cpp.llama_batch_free(batch)
        return [int(numpy.ctypeslib.as_array(row, (self.vocabulary,)).argmax()) for row in logits]

    def memory(self):
        return {"peak_mb": peak_mb()}


@llama_cpp.llama_log_callback
def SILENT(_level, _text, _data):
    pass


def converted(folder, dtype, threads):
    """Returns the path of the checkpoint as GGUF of a type, which is beside it."""
    whole, wanted = folder / "model.F32.gguf", folder / f"model.{dtype}.gguf"
    if not whole.exists():
        write_gguf(folder, whole)
    if not wanted.exists():
        settings = llama_cpp.llama_model_quantize_default_params()
        settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{dtype}")
        # The head would have 6 bits beside Q4_0, and ours has 8.
        settings.output_tensor_type = settings.token_embedding_type = llama_cpp.GGML_TYPE_Q8_0
        settings.nthread = threads
        if llama_cpp.llama_model_quantize(str(whole).encode(), str(wanted).encode(), ctypes.byref(settings)):
            raise RuntimeError(f"{wanted} could not be made")
    return str(wanted).encode()


def write_gguf(folder, path):
    config = json.loads((folder / "config.json").read_text())
    heads, key_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    for name, values in load_file(folder / "model.safetensors").items():
        path_of_module = name.removesuffix(".weight")
        if "q_proj" in name:
            values = interleaved(values, heads)
        if "k_proj" in name:
            values = interleaved(values, key_heads)
        writer.add_tensor(f"{renamed(path_of_module)}.weight", numpy.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def renamed(path):
    if path in NAMES:
        return NAMES[path]
    _, _, layer, module = path.split(".", 3)
    return f"blk.{layer}.{NAMES[module]}"


def interleaved(values, heads):
    """The rows of queries or keys in llama.cpp's order, where the two features of a rotated pair are neighbours."""
    size = values.shape[0] // heads
    return values.reshape(heads, 2, size // 2, -1).swapaxes(1, 2).reshape(values.shape)


if __name__ == "__main__":
    server = Server()
    serve(prepare=server.prepare, round=server.round, memory=server.memory)

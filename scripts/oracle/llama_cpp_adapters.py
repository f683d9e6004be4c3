"""Runs models and adapters with llama.cpp.

    python llama_cpp_adapters.py SOURCES FOLDER...

SOURCES is the folder of llama.cpp's sources, which come with the source package of llama-cpp-python. Each FOLDER has
`base/` (a model as transformers saves it), `ids.json` (token ids), `adapter.gguf`, and perhaps `merged/` (a merged
model), `peft/` (an adapter of PEFT) and `whole.gguf` (our file of the whole model) with `texts.json`. The base, the merged model and PEFT's adapter are converted with llama.cpp's
scripts. `answers.json` gets the logits of all tokens and the continuation that a greedy search finds, for the base,
with each adapter, for the merged model and for the whole file, and the ids of the texts. A reason stands where the script or llama.cpp refuses.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import runpy
import sys

import numpy as np

NEW_TOKENS = 12


def main():
    sources, *folders = sys.argv[1:]
    sys.path.insert(0, sources)
    sys.path.insert(1, os.path.join(sources, "gguf-py"))
    accept_tiny_models()
    import llama_cpp

    llama_cpp.llama_backend_init()
    for folder in map(pathlib.Path, folders):
        ids = json.loads((folder / "ids.json").read_text())
        base = convert(sources, folder / "base", folder / "base.gguf")
        answers = {
            "base": answer(llama_cpp, base, None, ids),
            "adapter": answer(llama_cpp, base, folder / "adapter.gguf", ids),
        }
        if (folder / "merged").exists():
            merged = convert(sources, folder / "merged", folder / "merged.gguf")
            answers["merged"] = answer(llama_cpp, merged, None, ids)
        if (folder / "whole.gguf").exists():
            answers["whole"] = answer(llama_cpp, folder / "whole.gguf", None, ids)
            texts = json.loads((folder / "texts.json").read_text())
            answers["tokens"] = tokens(llama_cpp, folder / "whole.gguf", texts)
        if (folder / "peft").exists():
            answers["peft"] = convert_adapter(sources, folder) or answer(
                llama_cpp, base, folder / "peft.gguf", ids
            )
        (folder / "answers.json").write_text(json.dumps(answers))


def accept_tiny_models():
    """Lets the script convert byte-level tokenizers that it does not know, and GPT-NeoX. Tests pass token ids."""
    import gguf
    from conversion import get_model_class
    from conversion.base import ModelBase, TextModel

    def vocabulary(self):
        tokenizer = json.loads((self.dir_model / "tokenizer.json").read_text())
        tokens = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
        tokens += [f"[PAD{i}]" for i in range(len(tokens), self.hparams["vocab_size"])]
        return tokens, [gguf.TokenType.NORMAL] * len(tokens), "gpt-2"

    TextModel.get_vocab_base = vocabulary
    # transformers 5 has no `rotary_pct`, which the script wants.
    load_hparams = ModelBase.load_hparams

    def with_own_fields(folder, *more, **options):
        own = json.loads((folder / "config.json").read_text())
        return {**own, **load_hparams(folder, *more, **options)}

    ModelBase.load_hparams = staticmethod(with_own_fields)
    names = "Llama Mistral Qwen2 Qwen3 Gemma2 Gemma3 Olmo2 SmolLM3 Phi3 GPTNeoX".split()
    for name in [f"{name}ForCausalLM" for name in names] + ["GPT2LMHeadModel"]:
        get_model_class(name).set_vocab = lambda self: self._set_vocab_gpt2()


def run_script(sources, name, *arguments):
    sys.argv = [name, *map(str, arguments)]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        runpy.run_path(os.path.join(sources, name), run_name="__main__")


def convert(sources, folder, file):
    if not file.exists():
        run_script(sources, "convert_hf_to_gguf.py", folder, "--outfile", file, "--outtype", "f32")
    return file


def convert_adapter(sources, folder):
    """Returns why the script refuses the adapter."""
    out = folder / "peft.gguf"
    try:
        run_script(
            sources, "convert_lora_to_gguf.py", folder / "peft", "--base", folder / "base", "--outfile", out
        )
    except (Exception, SystemExit) as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    return None


def answer(llama_cpp, model_file, adapter_file, ids):
    parameters = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(str(model_file).encode(), parameters)
    context = llama_cpp.llama_context_default_params()
    context.n_ctx = 256
    # Rounding the cache to 16 bits would hide differences.
    context.type_k = context.type_v = 0
    context.flash_attn_type = 0
    context.n_threads = context.n_threads_batch = 1
    opened = llama_cpp.llama_init_from_model(model, context)
    adapter = None
    if adapter_file:
        adapter = llama_cpp.llama_adapter_lora_init(model, str(adapter_file).encode())
        if not adapter:
            llama_cpp.llama_free(opened)
            llama_cpp.llama_model_free(model)
            return {"refused": "llama.cpp does not load it"}
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
        scales = (ctypes.c_float * 1)(1.0)
        llama_cpp.llama_set_adapters_lora(opened, adapters, 1, scales)
    words = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    logits = read(llama_cpp, opened, ids, 0, words)
    continued = []
    last = logits[-1]
    while len(continued) < NEW_TOKENS:
        continued.append(int(np.argmax(last)))
        last = read(llama_cpp, opened, continued[-1:], len(ids) + len(continued) - 1, words)[-1]
    llama_cpp.llama_free(opened)
    llama_cpp.llama_model_free(model)
    return {"logits": [row.tolist() for row in logits], "continued": continued}


def tokens(llama_cpp, model_file, texts):
    model = llama_cpp.Llama(str(model_file), vocab_only=True, verbose=False)
    return [model.tokenize(text.encode(), add_bos=True, special=True) for text in texts]


def read(llama_cpp, context, ids, start, words):
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for i, token in enumerate(ids):
        batch.token[i] = token
        batch.pos[i] = start + i
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = 0
        batch.logits[i] = 1
    if llama_cpp.llama_decode(context, batch) != 0:
        raise RuntimeError("llama_decode failed")
    rows = [
        np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), shape=(words,)).copy()
        for i in range(len(ids))
    ]
    llama_cpp.llama_batch_free(batch)
    return rows


if __name__ == "__main__":
    main()

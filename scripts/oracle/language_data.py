"""Writes src/input/text/fixtures: small tokenizers of four families, and transformers' encodings of texts and chats with them.

    python scripts/oracle/language_data.py TEXT.txt && npx biome format --write src/input/text/fixtures

TEXT.txt is an English text of about 100,000 characters, from which the vocabularies are trained. Masks of chats are
transformers' `return_assistant_tokens_mask`, with templates that mark the assistant's messages; masks of prompts and
completions are computed as in TRL's SFTTrainer.
"""
import json, pathlib, platform, sys
import tokenizers, transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

OUT = pathlib.Path(__file__).parents[2] / "src/input/text/fixtures"
VOCABULARY = 420
text = open(sys.argv[1], encoding="utf-8-sig").read()[:100_000]
bytes_alphabet = pre_tokenizers.ByteLevel.alphabet()


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>"]
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=bytes_alphabet))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    words = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(words), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>"]
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=bytes_alphabet))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A",
        pair="<|begin_of_text|> $A <|begin_of_text|> $B",
        special_tokens=[("<|begin_of_text|>", 0)],
    )
    return tokenizer


def llama2():
    """SentencePiece's BPE with byte fallback. Texts are not split into words, and begin with a space."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", "</s>"]
    first = special + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator([text.replace("\n", " ")], trainers.BpeTrainer(vocab_size=VOCABULARY + 150, special_tokens=first))
    tokenizer.pre_tokenizer = None
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in special]
    return Tokenizer.from_str(json.dumps(content))


def xlm_roberta():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator([text], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


TOKENIZERS = {
    "gpt2": (gpt2, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}),
    "llama3": (llama3, {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}),
    "llama2": (llama2, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}),
    "xlm-roberta": (xlm_roberta, {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}),
}

TEXTS = [
    "",
    "One day, in 1888, she said: \"It's cold!\"\n\nThen  (slowly) they   went home.\n",
    text[2_000:4_000],
    "Привет, мир. 你好，世界 東京タワー 한국어 naïve café e\u0301 x\u0301 ΑΣ ΟΔΟΣ Σ",
    "😀 and 👩‍👩‍👧‍👦 🇩🇪 at last\ttab\r\nline",
    "a <s> b</s> c<|endoftext|> d <|eot_id|>e <mask> f",
    "x" * 300 + " y" * 300,
]

# These families' templates in transformers. Marks for the assistant's messages are added.
TEMPLATES = {
    "llama3": """{{ bos_token }}{% for message in messages %}
<|start_header_id|>{{ message.role }}<|end_header_id|>

{% if message.role == 'assistant' %}{% generation %}{{ message.content | trim }}<|eot_id|>{% endgeneration %}{% else %}{{ message.content | trim }}<|eot_id|>{% endif %}
{% endfor %}
{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}""",
    "chatml": """{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>\\n' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""",
    "mistral": """{{ bos_token }}{% for message in messages %}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
{%- if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}
{%- else %}{% generation %}{{ ' ' + message['content'] + eos_token }}{% endgeneration %}{% endif %}
{%- endfor %}""",
}
TEMPLATE_OF = {"llama3": ["llama3", "chatml"], "llama2": ["mistral"]}


def talk(*turns):
    return [{"role": role, "content": content} for role, content in turns]


CHATS = [
    talk(("user", "What is the capital of France?"), ("assistant", "Paris.")),
    talk(
        ("user", "Hi"),
        ("assistant", "  Hello! How can I help?  "),
        ("user", "Tell me a story\nwith two lines."),
        ("assistant", "\n\nOnce upon a time\nthere was a mouse."),
    ),
    talk(("user", "你好 😀"), ("assistant", "Ça va? 3.14 – “yes”"), ("user", "bye")),
]
SYSTEM_CHAT = talk(("system", "Be brief."), ("user", "Why?"), ("assistant", "Because."))
PROMPTS = [("The answer is", " forty-two."), ("Q: What? A:", "Nothing"), ("some", "times"), ("", "All of it"), ("Line\n", "\nNext")]


def main():
    OUT.mkdir(exist_ok=True)
    cases = {"versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__}}
    cases |= {"texts": TEXTS, "encodings": {}, "prompts": [], "templates": TEMPLATES, "chats": []}
    for name, (make, special) in TOKENIZERS.items():
        backend = make()
        (OUT / f"{name}.json").write_text(json.dumps(json.loads(backend.to_str()), ensure_ascii=False))
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, clean_up_tokenization_spaces=False, **special)
        ids = [tokenizer(each, add_special_tokens=False)["input_ids"] for each in TEXTS]
        cases["encodings"][name] = [
            {"ids": each, "decoded": tokenizer.decode(each, skip_special_tokens=True)} for each in ids
        ]
        if name != "xlm-roberta":
            for prompt, completion in PROMPTS:
                prompt_ids = tokenizer(prompt)["input_ids"]
                both = tokenizer(prompt + completion + tokenizer.eos_token)["input_ids"]
                mask = [0] * len(prompt_ids) + [1] * (len(both) - len(prompt_ids))
                aligned = both[: len(prompt_ids)] == prompt_ids
                cases["prompts"].append(
                    {"tokenizer": name, "prompt": prompt, "completion": completion, "ids": both, "mask": mask, "aligned": aligned}
                )
        for template in TEMPLATE_OF.get(name, []):
            tokenizer.chat_template = TEMPLATES[template]
            for messages in [*CHATS, *([] if template == "mistral" else [SYSTEM_CHAT])]:
                made = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
                cases["chats"].append(
                    {
                        "tokenizer": name,
                        "special": special,
                        "template": template,
                        "messages": messages,
                        "text": tokenizer.apply_chat_template(messages, tokenize=False),
                        "prompt": tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True),
                        "ids": made["input_ids"],
                        "mask": made["assistant_masks"],
                    }
                )
    (OUT / "oracle.json").write_text(json.dumps(cases, ensure_ascii=False))


main()

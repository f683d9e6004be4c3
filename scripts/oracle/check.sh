#!/usr/bin/env bash
# Compares this program with PEFT and transformers on a small model. They load what this program trains, exports and
# merges, and this program loads what PEFT trains. Labels must be equal, and logits within 1e-4 (virtual tokens: 1e-5). In transformers, small
# language models must generate the texts of the tests' fixture. Needs a Python with torch and peft (PYTHON, default:
# python3). Without them, the script prints a message.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
if ! "$python" -c 'import torch, peft, transformers' 2>/dev/null; then
  echo "skipped: $python has no torch, peft and transformers"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "== texts of small models, as transformers generates them"
npx tsx scripts/oracle/small-generators.ts "$work/generators"
"$python" scripts/oracle/model_generation_cases.py "$work/generators" src/generation/fixtures/models.json
npx tsx scripts/oracle/tiny.ts "$work"
npx tsx scripts/oracle/tiny-decoders.ts "$work"
adalora=("node" "$PWD/dist/cli/main.js")
oracle=$PWD/scripts/oracle
tsx=$PWD/node_modules/.bin/tsx
cd "$work"
export HF_HUB_OFFLINE=1

cat > run.yaml <<YAML
model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {learning_rate: 2e-2, per_device_train_batch_size: 16}
adalora: {target_r: 2, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2}
lora: {r: 4, use_rslora: true, rank_pattern: {value: 2}, alpha_pattern: {query: 4}, bias: lora_only}
svd_lora: {r: 3, lora_alpha: 16}
# The budget is so small that some matrices get rank 0.
prune_lora: {target_budget: 9, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2}
YAML

# compare FOLDER PREDICTIONS LABEL...
compare() {
  local folder=$1 predictions=$2
  shift 2
  "$python" "$oracle/check_adapter.py" "$folder" "$predictions" dev.tsv \
    --model model --text sentence --max-length 32 --labels "$@"
}

for method in lora adalora svd_lora prune_lora; do
  echo "== trained here: $method"
  "${adalora[@]}" train run.yaml --set "method=$method" --set "output=$method" > /dev/null
  "${adalora[@]}" predict "$method" dev.tsv --logits > ours.jsonl
  compare "$method/adapter" ours.jsonl bad good
  "${adalora[@]}" merge "$method" -o "merged-$method" > /dev/null
  compare "merged-$method" ours.jsonl bad good
done
# option NAME SETTINGS...
option() {
  local name=$1 settings=()
  shift
  for setting in "$@"; do settings+=(--set "$setting"); done
  echo "== trained here: $*"
  "${adalora[@]}" train run.yaml "${settings[@]}" --set "output=$name" > /dev/null
  "${adalora[@]}" predict "$name" dev.tsv --logits > ours.jsonl
  compare "$name/adapter" ours.jsonl bad good
}
option rs-adalora method=adalora adalora.scale=rslora adalora.init=orthonormal adalora.grow=true adalora.score=signal-to-noise
option rs-svd_lora method=svd_lora svd_lora.scale=rslora
option rs-prune_lora method=prune_lora prune_lora.scale=rslora
option rs-lora method=lora 'lora={r: 4, scale: rslora}'
option eva method=eva 'eva={r: 2, tau: 0.8, use_rslora: true}'
option gora method=gora 'gora={r: 2, min_rank: 1, gradient_batches: 4}'
option igulora method=igulora 'igulora={target_r: 2, init_r: 4, lora_alpha: 16, deltaT: 2}'
option elalora method=elalora 'elalora={r: 3, lora_alpha: 16, deltaT: 2}'
option flexlora method=flexlora 'flexlora={r: 3, lora_alpha: 16, deltaT: 2}'
option increlora method=increlora 'increlora={target_r: 3, lora_alpha: 16, top_h: 3}'
option adadora method=adadora 'adadora={target_r: 2, init_r: 4, lora_alpha: 16, deltaT: 2}'
option before method=lora 'lora={r: 2, allocation: before-training, scale: rslora}'
"$python" -c 'import json, peft; peft.LoraConfig(**json.load(open("before/rank_pattern.json")))'


cat > prompts.yaml <<YAML
data: {train: train.jsonl, validation: dev.jsonl, max_length: 48}
training: {max_steps: 20, learning_rate: 3e-2, per_device_train_batch_size: 8}
task: causal_lm
prompt_tuning: {num_virtual_tokens: 4}
prefix_tuning: {num_virtual_tokens: 4}
YAML
# virtual MODEL SETTINGS...
virtual() {
  local model=$1 settings=()
  shift
  for setting in "$@"; do settings+=(--set "$setting"); done
  echo "== trained here: $model, $*"
  rm -rf virtual
  "${adalora[@]}" train prompts.yaml --set "model=$model" "${settings[@]}" --set output=virtual > /dev/null
  "$tsx" "$oracle/token-logits.ts" virtual dev.jsonl > ours.jsonl
  "$python" "$oracle/check_virtual_tokens.py" virtual/adapter ours.jsonl --model "$model"
}
for model in llama gpt2; do
  virtual "$model" method=prompt_tuning
  virtual "$model" method=prefix_tuning
  virtual "$model" method=prefix_tuning prefix_tuning.prefix_projection=true prefix_tuning.encoder_hidden_size=8
  virtual "$model" method=prompt_tuning task=single_label_classification \
    'data={train: train.tsv, text: sentence, label: label, max_length: 48}'
done

for method in adalora svd_lora; do
  echo "== exported as LoRA: $method"
  "${adalora[@]}" predict "$method" dev.tsv --logits > ours.jsonl
  "${adalora[@]}" export "$method" --as lora -o "exported-$method" > /dev/null
  compare "exported-$method" ours.jsonl bad good
done

for method in lora adalora; do
  for format in safetensors pickle; do
    echo "== trained by PEFT: $method ($format)"
    folder=peft-$method-$format
    flags=(--text sentence --label label --max-length 32 --steps 40)
    [ $format = safetensors ] || flags+=(--pickle)
    "$python" "$oracle/train_adapter.py" "$folder" train.tsv --model model --method "$method" "${flags[@]}"
    "${adalora[@]}" predict "$folder" dev.tsv --logits --text sentence --max-length 32 > ours.jsonl
    compare "$folder" ours.jsonl LABEL_0 LABEL_1
  done
  echo "== trained by PEFT, continued here: $method"
  "${adalora[@]}" train run.yaml --set "method=$method" --set "$method={}" --set "adapter=$folder" \
    --set "output=on-$method" --set training.max_steps=5 > /dev/null
  "${adalora[@]}" predict "on-$method" dev.tsv --logits > ours.jsonl
  compare "on-$method/adapter" ours.jsonl bad good
done

if "$python" -c 'import scipy' 2>/dev/null; then
  echo "== a comparison, recomputed with SciPy"
  cat > compare.yaml <<YAML
model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {max_steps: 6, per_device_train_batch_size: 16, learning_rate: 2e-2, eval_strategy: steps, eval_steps: 3}
rows: {LoRA: {method: lora, lora.r: 2}, BitFit: {method: bitfit}, IA3: {method: ia3}, VeRA: {method: vera}}
seeds: 4
output: compared
YAML
  "${adalora[@]}" compare compare.yaml > /dev/null
  "$python" "$oracle/comparison.py" compared/table.json
fi

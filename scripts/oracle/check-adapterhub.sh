#!/usr/bin/env bash
# Compares this program with AdapterHub's `adapters` on a small model or the given one. Each loads the adapters that the
# other has trained. Labels must be equal, and logits within 1e-4. Needs a Python with adapters, which requires an older
# transformers (ADAPTERS_PYTHON, default: python3). Without it, the script prints a message.
#
#   scripts/oracle/check-adapterhub.sh [MODEL TRAIN.tsv DEV.tsv TEXT LABEL MAX_LENGTH]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${ADAPTERS_PYTHON:-python3}
if ! "$python" -c 'import torch, adapters' 2>/dev/null; then
  echo "skipped: $python has no torch and adapters"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
  npx tsx scripts/oracle/tiny.ts "$work"
  set -- "$work/model" "$work/train.tsv" "$work/dev.tsv" sentence label 32
fi
model=$(realpath "$1") train=$(realpath "$2") dev=$(realpath "$3") text=$4 label=$5 length=$6
adalora=("node" "$PWD/dist/cli/main.js")
oracle=$PWD/scripts/oracle
cd "$work"
export HF_HUB_OFFLINE=1

cat > run.yaml <<YAML
model: $model
data: {train: $train, text: $text, label: $label, max_length: $length}
training: {max_steps: 20, learning_rate: 3e-3, per_device_train_batch_size: 16}
YAML

# predict RUN [FLAG...]
predict() { "${adalora[@]}" predict "$1" "$dev" --logits --text "$text" --max-length "$length" "${@:2}" > ours.jsonl; }

# compare FOLDER [FLAG...]
compare() {
  "$python" "$oracle/check_adapterhub.py" "$1" ours.jsonl "$dev" --model "$model" --text "$text" \
    --max-length "$length" "${@:2}"
}

for method in houlsby pfeiffer; do
  echo "== trained here: $method"
  "${adalora[@]}" train run.yaml --set "method=$method" --set "$method.bottleneck=5" \
    --set "output=$method" > /dev/null
  predict "$method"
  compare "$method/adapter"
  for flags in "" --safetensors --exchangeable; do
    echo "== trained by AdapterHub: $method $flags"
    folder=adapterhub-$method$flags
    "$python" "$oracle/train_adapterhub.py" "$folder" "$train" --model "$model" --method "$method" \
      --text "$text" --label "$label" --max-length "$length" --steps 20 $flags
    predict "$folder" --model "$model"
    [ "$flags" = --safetensors ] && also=--safetensors || also=
    compare "$folder" $also
  done
done

#!/usr/bin/env bash
# Measures one file and seed of write-files.ts: accuracy on 1,000 other rows of the built-in encoder with 100 labeled rows alone, of the
# teacher, all-MiniLM-L6-v2 with the same 100 rows, and of the built-in encoder with the teacher's answers for 2,000 rows more.
#
#     bash bench/soft-labels/measure.sh FOLDER/SEED NAME MINILM
set -euo pipefail
adalora=${ADALORA:-"npx adalora"}
cd "$1"
name=$2
score() { $adalora eval "$1" "$name-test.tsv" 2>/dev/null | grep -o 'accuracy *[0-9.]*' | grep -o '[0-9.]*'; }
no='--set training.eval_strategy=no'
data="{train: $name-labeled.tsv, text: text, label: label}"
printf 'task: single_label_classification\ndata: %s\n' "$data" > "$name.yaml"
rm -rf "$name"-{alone,teacher,taught}
$adalora train "$name.yaml" --output "$name-alone" $no > "$name-alone.log" 2>&1
$adalora train "$name.yaml" --output "$name-teacher" --model "$3" --set training.max_steps=40 $no > "$name-teacher.log" 2>&1
$adalora train "$name.yaml" --output "$name-taught" --set data.teacher="$name-teacher" --set data.unlabelled="$name-unlabelled.tsv" \
    --set training.num_train_epochs=3 $no > "$name-taught.log" 2>&1
echo "$1 $name alone $(score "$name-alone") teacher $(score "$name-teacher") taught $(score "$name-taught")"

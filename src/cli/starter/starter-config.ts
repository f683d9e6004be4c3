/** What `adalora init` writes as adalora.yaml; every key stands in it, most with their defaults. */
export const STARTER_CONFIG = `# Trains an adapter that sorts short messages to a shop into three classes.
#
#   npx adalora plan         what will train, steps, memory
#   npx adalora train        trains; the result goes to the folder under "output"
#   npx adalora predict runs/first      type a message at it
#
# To make it yours, replace train.tsv and validation.tsv. Paths are relative to the folder you are in, and
# --set KEY=VALUE replaces any value here, as in --set training.num_train_epochs=3.

# A folder with config.json, tokenizer.json and model.safetensors, or a model id of the Hugging Face Hub. Left out it is
# the small English encoder that comes with adalora: quick to try things with. A larger one gives better answers.
# model: sentence-transformers/all-MiniLM-L6-v2

# single_label_classification: one of two or more classes; multi_label_classification: any number of them;
# regression: a number. (For language models: causal_lm, masked_lm, which read other data.)
task: single_label_classification

# adalora, lora or full (every parameter of the model).
method: adalora

# The run's folder. It must be new or empty: choose another for the next run, or continue one with --resume.
output: runs/first

# Decides initial values, order of examples and dropout: the same seed gives the same adapter.
seed: 0

# cpu, webgpu or wasm.
device: cpu

data:
  # TSV, CSV or JSON Lines, one example a line.
  train: train.tsv
  # Is never trained on, and says how good the adapter is.
  validation: validation.tsv
  # The columns, by name (then the first line names them) or by number from 0.
  text: text
  label: label
  # The second text, for tasks on pairs.
  # text_pair: reply
  # Tokens of an input, special ones included; what is longer is cut. Less is faster.
  max_length: 128

# Names as in Hugging Face's TrainingArguments.
training:
  # Times that every example is seen. Forty rows want many; thousands want three to five.
  num_train_epochs: 20
  # A few rows want small batches; with thousands take 32.
  per_device_train_batch_size: 8
  # Left out it follows the method: 2e-3 for adalora, 5e-4 for lora, 2e-5 for full.
  # learning_rate: 2e-3
  # The share of the run in which the learning rate rises from 0; then it falls, linearly.
  warmup_ratio: 0.06
  lr_scheduler_type: linear
  # When to evaluate: epoch, steps (every eval_steps) or no.
  eval_strategy: epoch
  # Which evaluation is the best: by accuracy, f1, matthews_correlation or loss.
  metric_for_best_model: accuracy
  # Steps between two reports of loss and speed.
  logging_steps: 10

# Names as in PEFT's AdaLoraConfig.
adalora:
  # Average rank of a matrix in the end, and its rank at the start: what lies between goes where it is needed most.
  target_r: 4
  init_r: 8
  # The increment's scale is lora_alpha / init_r.
  lora_alpha: 16
  # The budget of ranks stays level for tinit, falls, and is level again for the last tfinal. Steps, or shares of the run.
  tinit: 10%
  tfinal: 40%
  # Steps between two allocations of ranks.
  deltaT: 5
  # Linear layers to adapt. Left out: the six matrices of every layer.
  # target_modules: [query, value]

# Names as in PEFT's LoraConfig. Used with method: lora.
lora:
  # Rank of every matrix; the increment's scale is lora_alpha / r.
  r: 4
  lora_alpha: 16
  # Left out: query and value alone.
  # target_modules: [query, key, value, attention.output.dense, intermediate.dense, output.dense]
`;

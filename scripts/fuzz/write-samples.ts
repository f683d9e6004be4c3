import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderFiles } from '../../src/input/formats/node/folder-files.ts';
import { asStored } from '../../src/methods/tuners/low-rank/peft-config.ts';
import type { TrainerState } from '../../src/training/run/checkpoint.ts';
import { writeCheckpoint } from '../../src/training/run/checkpoint-files.ts';
import { writeAdapter } from '../../tests/support/adapter-folder.ts';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';

/** The trainer's state in the sample checkpoints. */
export const STATE: TrainerState = {
  step: 8,
  optimizerStep: 8,
  skipped: { total: 0, inARow: 0 },
  meter: { lossSum: 1, steps: 2 },
  losses: { first: 0.7, last: 0.5, peak: 0.7 },
  best: { step: 4, score: 0.5, waited: 1, metrics: { eval_accuracy: 0.5 } },
  lastMetrics: { eval_accuracy: 0.4 },
  tensors: {
    values: Float32Array.of(1, 2, 3),
    best: new Float32Array(3),
  },
  optimizer: { m: new Float32Array(3), v: new Float32Array(3) },
  method: { pattern: Uint8Array.of(1, 0), progress: Int32Array.of(1, 0) },
};

const CARD = `---
configs:
- config_name: default
  data_files:
  - {split: train, path: 'data/train-*'}
  - {split: test, path: ['**/test*', 'x/{a,b}[0-9].csv']}
- {config_name: cola, data_files: cola/*.csv}
dataset_info:
- config_name: default
  features:
  - {name: label, dtype: {class_label: {names: {'0': bad, '1': good}}}}
  - {name: tags, sequence: {class_label: {names: {'0': O, '1': B-PER, '2': I-PER}}}}
- config_name: cola
  features:
  - {name: label, dtype: {class_label: {names: [no, yes]}}}
---
# A dataset
`;

const TEMPLATE = `{% macro line(role, text) -%}<|{{ role }}|>{{ text | trim }}{{ eos_token }}
{% endmacro -%}
{{ bos_token }}{% set ns = namespace(found=false, count=0) %}
{%- if messages[0]['role'] == 'system' %}{% set system = messages[0].content %}{% set loop_messages = messages[1:] %}
{%- else %}{% set system = 'Today is ' ~ strftime_now('%d %b %Y') %}{% set loop_messages = messages %}{% endif -%}
{% for message in loop_messages -%}
{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif -%}
{% set ns.count = ns.count + message['content'].split(' ') | length -%}
{% if loop.first and system is defined %}{{ line('system', system) }}{% endif -%}
{{ line(message.role, message['content'] if message.content is string else message.content | tojson) }}
{%- if loop.last and not add_generation_prompt %}{{ eos_token }}{% endif %}
{%- endfor %}
{%- for i in range(3) %}{{ i }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`;

/** Writes an intact file of every kind. */
export function writeSamples(folder: string): void {
  const folders = [
    'adapter',
    'classifier',
    'run',
    'checkpoints',
    'shards',
    'chat',
    'chat-config',
    'compare/runs/run/lora/seed-0',
  ];
  for (const name of [...folders, 'sweep/runs/run/adalora/seed-0', 'sweep/configs'])
    mkdirSync(join(folder, name), { recursive: true });
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  const model = join(folder, 'model');
  writeTinyModel(model, {
    hidden_size: 8,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  });
  const config = `model: m
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training:
  learning_rate: 2e-2
  num_train_epochs: 5
adalora: {target_r: 2, init_r: 4, target_modules: 'encoder.*(query|value)', tinit: 10%, tfinal: 30%, deltaT: 2}
output: run
`;
  write('config.yaml', config);
  cpSync(model, join(folder, 'base'), { recursive: true });
  writeMadeAdapter(join(folder, 'classifier'), model, { method: 'adalora', rank: 2, seed: 1 });
  write('sweep.yaml', `${config.replace('output: run\n', '')}output: sweep\nseeds: 2\n`);
  const compared = 'rows: {lora: {method: lora}, adalora: {grid: {seed: [1, 2]}}}\nseeds: 1\nheld_out: 0\n';
  write('compare.yaml', `${config.replace('output: run\n', '')}output: compare\n${compared}`);
  cpSync('src/input/data/parquet/fixtures/rows-snappy.parquet', join(folder, 'rows.parquet'));
  write('README.md', CARD);
  write('chat/chat_template.jinja', TEMPLATE);
  write('chat-config/tokenizer_config.json', JSON.stringify({ chat_template: TEMPLATE, eos_token: '</s>' }));
  const weights = readFileSync(join(model, 'model.safetensors'));
  write('shards/model-00001-of-00001.safetensors', weights);
  const names = [...readSafetensors(join(model, 'model.safetensors')).keys()];
  const weightMap = Object.fromEntries(names.map((name) => [name, 'model-00001-of-00001.safetensors']));
  write(
    'shards/model.safetensors.index.json',
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }),
  );
  for (const family of ['bert', 'deberta-v3', 'deberta-v2-bpe'])
    cpSync(join('src/input/text/fixtures/slow', family), join(folder, family), { recursive: true });
  writeAdapter(join(folder, 'bottleneck'), {
    config: {
      config: { scaling: 1, reduction_factor: 16, non_linearity: 'relu' },
      model_class: 'BertForTokenClassification',
      model_name: 'owner/name',
      name: 'default',
    },
    tensors: new Map([
      [
        'encoder.layer.0.output.adapters.default.adapter_up.bias',
        { shape: [2], data: Float32Array.of(1, 2) },
      ],
      ['classifier.bias', { shape: [1], data: Float32Array.of(3) }],
    ]),
    baseModel: 'owner/name',
    head: { model_class: 'BertForTokenClassification', config: null, label2id: { B: 1, A: 0 } },
  });
  cpSync('src/input/formats/pickle/fixtures/adapter.bin', join(folder, 'tensors.bin'));
  const factor = (shape: number[]) => ({ shape, data: new Float32Array(shape[0]! * shape[1]!).fill(0.5) });
  const prefix = 'base_model.model.bert.encoder.layer.0.attention.self.query';
  writeAdapter(
    join(folder, 'adapter'),
    asStored({
      config: {
        peft_type: 'LORA',
        r: 2,
        lora_alpha: 4,
        target_modules: ['query'],
        task_type: 'SEQ_CLS',
      } as never,
      tensors: new Map([
        [`${prefix}.lora_A.weight`, factor([2, 8])],
        [`${prefix}.lora_B.weight`, factor([8, 2])],
      ]) as never,
    }),
  );
  write('rows.tsv', 'sentence\tlabel\na cat sat\tgood\n"a dog"\tbad\n');
  write('rows.csv', 'sentence,label\n"a cat, ""sat""",good\na dog,bad\n');
  write(
    'rows.jsonl',
    '{"sentence": "a cat", "label": "good"}\n{"sentence": "a \\u0064og", "label": "bad"}\n',
  );
  const answers = [{ text: 'cat', answer_start: 4 }];
  const qas = [
    { id: 'a', question: 'Who?', answers },
    { id: '7', question: 'Where?', answers: [], is_impossible: true },
  ];
  const paragraphs = [{ context: 'The cat sat.', qas }];
  write('squad.json', JSON.stringify({ version: 'v2.0', data: [{ title: 'x', paragraphs }] }));
  write('predictions.json', '{"7": "", "a": "the \\"cat\\" \\u00e9"}');
  write('tags.txt', 'EU B-ORG B-ORG\nrejects O O\n\nPeter B-PER B-ORG\n');
  write('summaries.jsonl', '{"text": "a cat sat"}\n"two cats"\n');
  write('odds.json', '{"7": 0.5, "a": -Infinity}');
  write('texts.txt', 'a cat sat\n\ntwo cats\n');
  write('labels.jsonl', '{"idx": 0, "label": 1}\n{"idx": 1234567890123456789, "label": "negative"}\n');
  write('scores.tsv', 'index\tprediction\n0\t1.5\n1\t2e0\n2\t4\n');
  write('mnli.tsv', 'index\tgold_label\n0\tneutral\n1\t2\n');
  write('inputs.csv', 'id,text\n1,"a cat"\n2,a dog\n');
  write('sentences.txt', 'Ann Lee lives in Bonn.\n\nBob works.\n');
  write('cola.tsv', 'index\tprediction\n0\t1\n1\t0\n');
  write('words.conll', 'EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n');
  write('words.jsonl', '{"tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"]}\n');
  const origin = { fingerprint: 'f', startedAt: new Date(0) };
  const checkpoints = folderFiles(join(folder, 'checkpoints'));
  for (const step of [4, 8]) writeCheckpoint(checkpoints, { ...STATE, step }, origin, 2);
  write(
    'run/metrics.jsonl',
    [
      {
        type: 'start',
        step: 0,
        total_steps: 8,
        train_examples: 4,
        method: 'adalora',
        device: 'cpu',
        ranks: { a: 2 },
      },
      { type: 'step', step: 4, epoch: 1, loss: 0.5, learning_rate: 1e-3, grad_norm: 1 },
      { type: 'evaluation', step: 4, epoch: 1, eval_loss: 0.5, eval_accuracy: 0.5, best: true },
      { type: 'finish', step: 8, reason: 'done', metrics: { eval_accuracy: 0.5 }, ranks: { a: 1 } },
    ]
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
  const ofRun = `${config}task: single_label_classification\nmethod: adalora\nseed: 0\n`;
  for (const name of ['sweep/runs/run/adalora/seed-0', 'compare/runs/run/lora/seed-0'])
    cpSync(join(folder, 'run/metrics.jsonl'), join(folder, name, 'metrics.jsonl'));
  write('sweep/runs/run/adalora/seed-0/config.yaml', ofRun);
  write('compare/runs/run/lora/seed-0/config.yaml', ofRun);
  write('sweep/configs/run-adalora-seed-1.failed.txt', 'train.tsv: expected a file, got nothing.\n');
  write('run/config.yaml', ofRun);
  write(
    'model/chat_template.jinja',
    "{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
  );
  write(
    'model/generation_config.json',
    JSON.stringify({
      eos_token_id: [2, 3],
      do_sample: true,
      temperature: 0.6,
      top_p: 0.9,
      max_new_tokens: 20,
    }),
  );
  write(
    'run/adalora.json',
    JSON.stringify({
      task: 'single_label_classification',
      labels: ['bad', 'good'],
      data: { text: 'sentence', max_length: 32 },
    }),
  );
}

/**
 * Trains an embedding model on questions and the sentences that answer them (QNLI). Prints scores before and
 * after, CPU seconds per step, and peak memory. `beside.py` in this folder does the same with
 * sentence-transformers and PEFT.
 *
 * npx tsx bench/embeddings/run.ts OUT [float32|int8] && python3 bench/embeddings/beside.py OUT
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../../src/studies/jobs/run-in-folder.ts';
import { peakMemoryMb } from '../../src/support/node/process-status.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import { open } from '../../src/use/trained/node/open.ts';

const [out = 'runs/embeddings', baseDtype = 'float32'] = process.argv.slice(2);
const MODEL = '../shared/models/all-MiniLM-L6-v2';
const [TRAIN_ROWS, TEST_ROWS] = [2000, 400];
const columns = { anchor: 'question', positive: 'answer' };
const paths = { train: join(out, 'train.jsonl'), validation: join(out, 'test.jsonl') };

mkdirSync(out, { recursive: true });
if (!existsSync(paths.train)) {
  const rows = readFileSync('../shared/data/glue/QNLI/dev.tsv', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields[3]?.trim() === 'entailment')
    .map(([, question, answer]) => JSON.stringify({ question, answer }));
  writeFileSync(paths.train, `${rows.slice(0, TRAIN_ROWS).join('\n')}\n`);
  writeFileSync(paths.validation, `${rows.slice(TRAIN_ROWS, TRAIN_ROWS + TEST_ROWS).join('\n')}\n`);
}

await using base = await open(MODEL, { embeds: true, maxLength: 128 });
console.log('before', JSON.stringify(await base.evaluate({ data: paths.validation, reading: columns })));
const config = parseRunConfig(
  {
    model: MODEL,
    task: 'sentence_embedding',
    method: 'lora',
    seed: 0,
    output: join(out, `adalora-${baseDtype}-${Date.now()}`),
    base_dtype: baseDtype,
    lora: { r: 8, lora_alpha: 16, lora_dropout: 0, target_modules: ['query', 'key', 'value', 'dense'] },
    data: { ...paths, ...columns, max_length: 128 },
    training: {
      num_train_epochs: 1,
      per_device_train_batch_size: 32,
      learning_rate: 1e-3,
      lr_scheduler_type: 'linear',
      warmup_ratio: 0.1,
      eval_strategy: 'no',
      save_steps: 100_000,
    },
  } as never,
  'bench',
);
const before = process.cpuUsage();
const finish = await runInFolder(THIS_NODE, config, { resume: false, onEvent() {}, shouldStop: () => false });
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    side: 'adalora',
    baseDtype,
    steps: finish.step,
    seconds: finish.train_runtime,
    cpuSecondsPerStep: (user + system) / 1e6 / finish.step,
    peakMemoryMb: peakMemoryMb(),
  }),
);
await using trained = await open(config.output, { model: MODEL });
console.log('after', JSON.stringify(await trained.evaluate({ data: paths.validation })));

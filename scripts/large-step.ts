import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AdaLoraTuner } from '../src/methods/tuners/adalora/adalora-tuner.ts';
import { adaLoraConfigSchema } from '../src/methods/tuners/composed/pruned-triplets.ts';
import { BASE_DTYPES, type BaseDtype } from '../src/program/bases/base-dtype.ts';
import { withBaseDtype } from '../src/program/bases/with-base-dtype.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { labeledRows } from '../src/program/objectives/labeled-rows.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { tokenModel } from '../src/program/objectives/token-model.ts';
import { Program } from '../src/program/program.ts';
import { models, openModel } from '../src/use/trained/node/load-model.ts';

const USAGE = `npx tsx scripts/large-step.ts FOLDER [--base-dtype ${BASE_DTYPES.join('|')}] [--tokens 64] [--steps 3] [--cache FOLDER]

AdaLoRA's gradient on one row of tokens, under a causal language model such as scripts/large-checkpoint.ts writes: time
and memory of each step. The copy of the base in the cache is kept for the next run.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'base-dtype': { type: 'string', default: 'int4' },
    tokens: { type: 'string', default: '64' },
    steps: { type: 'string', default: '3' },
    cache: { type: 'string' },
  },
});
const [folder] = positionals;
if (!folder) {
  console.error(USAGE);
  process.exit(2);
}

/** Memory of the process in MB by kind, as the kernel reports it. */
function memory(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  const megabytes = (key: string) =>
    (Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0);
  return `own ${megabytes('RssAnon')} MB, mapped ${megabytes('RssFile')} MB, at most ${megabytes('VmHWM')} MB in total`;
}

async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s; ${memory()}`);
  return result;
}

const model = await timed('base', async () =>
  withBaseDtype(
    models.machine,
    await openModel(folder, tokenModel('CAUSAL_LM')),
    options['base-dtype'] as BaseDtype,
    {
      cacheFolder: options.cache,
    },
  ),
);
const tuner = AdaLoraTuner.create(model, adaLoraConfigSchema.parse({}));
const values = tuner.initialValues(0, model.reader(0));
const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
await timed('session', () => program.prepare());

const length = Number(options.tokens);
const inputIds = Int32Array.from({ length }, (_, i) => (i * 7919) % model.config.vocabSize);
const attentionMask = new Int32Array(length).fill(1);
const batch = { inputIds, tokenTypeIds: new Int32Array(length), attentionMask, batch: 1, length };
const feeds = { ...modelFeeds(batch), ...labeledRows(inputIds, 1, length, true) };
for (let step = 1; step <= Number(options.steps); step++) {
  const { loss } = await timed(`step ${step}`, () => program.differentiate(values, feeds, 0, step));
  console.log(`  loss ${loss.toFixed(4)} over ${values.length} trained values`);
}
await program.release();
model.close();

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REFERENCE } from '../figures.ts';
import { median } from '../median.ts';
import { BENCH_METHODS, type BenchCase, benchCases } from '../shapes.ts';
import { Launcher } from '../sides.ts';
import { measureSteps } from '../step-rows.ts';
import { besideLora } from './beside-lora.ts';

/*
 * npm run bench:methods -- [--case 'MiniLM, 32 x 32' | 'Llama of six layers, 8 x 64'] [--steps 15] [--dropout 0] [--only text]
 *
 * Measures a training step of every method. Prints its processor time with one thread and the peak memory of its
 * process as multiples of LoRA's, with float32 and int8 bases. With BENCH_PYTHON, it then measures the methods that PyTorch has compared with PyTorch, which
 * uses PEFT if it has the method: medians, and the speed relative to PyTorch in float32.
 */

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 32' },
    /** Number of steps per side, after two warm-up steps. */
    steps: { type: 'string', default: '15' },
    dropout: { type: 'string', default: '0' },
    /** Measures only methods with this text in their name. */
    only: { type: 'string', default: '' },
  },
});
/** A language model, for the methods that only these have. */
const DECODER: BenchCase = {
  name: 'Llama of six layers, 8 x 64',
  model_type: 'llama',
  shape: {
    hidden_size: 512,
    intermediate_size: 1408,
    num_hidden_layers: 6,
    num_attention_heads: 8,
    vocab_size: 8000,
    max_position_embeddings: 512,
    pad_token_id: 0,
  },
  method: 'lora',
  r: 12,
  batch: 8,
  length: 64,
  dropout: Number(options.dropout),
  head: 'CAUSAL_LM',
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};
const size = [...benchCases(Number(options.dropout)).flat(), DECODER].find(
  ({ name }) => name === options.case,
);
if (!size) throw new Error('--case: no such thing in bench/shapes.ts');
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const common = {
  rounds: { warmUp: 2, kept: Number(options.steps) },
  threads: availableParallelism(),
  folder: join(scratch, 'model'),
};
try {
  const launcher = new Launcher(process.env.BENCH_PYTHON, join(scratch, 'cache'));
  await everyMethod(size, launcher);
  if (process.env.BENCH_PYTHON) await besidePyTorch(size, launcher);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function everyMethod(size: BenchCase, launcher: Launcher): Promise<void> {
  const ours = launcher.sides.filter(({ library }) => library === 'adalora');
  const before = loadavg()[0]!;
  const results = [];
  for (const side of ours)
    results.push({ side, ...(await besideLora(size, side, launcher, { ...common, only: options.only })) });
  const own = results.map(({ side, ms, mb }) => `${side.dtype} ${ms.toFixed(0)} ms and ${mb.toFixed(0)} MB`);
  console.log(`${options.case}: multiples of LoRA's step. LoRA with one thread: ${own.join(', ')}.`);
  console.log(`Load of the machine: ${before.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after.\n`);
  const head = ours.flatMap(({ dtype }) => [`${dtype}: time`, 'memory']);
  console.log(`| method | trained | ${head.join(' | ')} |`);
  console.log(`|---|---${'|---'.repeat(head.length)}|`);
  for (const { method, trained } of results[0]!.steps) {
    const cells = results.flatMap(({ steps }) => {
      const step = steps.find((one) => one.method === method);
      return step ? [step.time.toFixed(2), step.memory.toFixed(2)] : ['', ''];
    });
    console.log(`| \`${method}\` | ${trained.toLocaleString('en')} | ${cells.join(' | ')} |`);
  }
}

async function besidePyTorch(size: BenchCase, launcher: Launcher): Promise<void> {
  console.log(`\n| ${options.case} | ${launcher.sides.map(({ name }) => name).join(' | ')} |`);
  console.log(`|---${'|---'.repeat(launcher.sides.length)}|`);
  for (const method of BENCH_METHODS.filter((name) => name.includes(options.only))) {
    const { runs } = await measureSteps([{ ...size, method }], launcher, common);
    const times = runs.map(({ ms }) => median(ms));
    const torch = runs.findIndex(({ side }) => side === REFERENCE);
    const cells = times.map(
      (ms) => `${ms.toFixed(0)} ms${torch < 0 ? '' : `, ${(times[torch]! / ms).toFixed(2)}`}`,
    );
    console.log(`| ${method}, ${runs[0]!.trainable.toLocaleString('en')} trained | ${cells.join(' | ')} |`);
  }
}

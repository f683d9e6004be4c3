import { beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

const ROWS = tinyRows(48, 2);

/** A command's results for the validation rows with some flags, and the loss computed from them. */
interface Answers {
  logits: number[][];
  loss: number;
}

const workspace = newWorkspace();
let float32: Answers;
let largest: number;
beforeAll(async () => {
  await succeeds(workspace.train());
  float32 = await answers('--base-dtype', 'float32', '--device', 'cpu');
  largest = Math.max(...float32.logits.flat().map(Math.abs));
});

/** `predict` and `eval` of the run with these flags; their results must agree. */
async function answers(...flags: string[]): Promise<Answers> {
  const [predicted, scored] = await Promise.all([
    workspace.run('predict', 'run', 'dev.tsv', '--logits', ...flags),
    workspace.run('eval', 'run', 'dev.tsv', '--json', ...flags),
  ]);
  expect([predicted.code, predicted.stderr, scored.code, scored.stderr]).toEqual([0, '', 0, '']);
  const logits: number[][] = predicted.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).logits);
  const losses = logits.map(([bad, good], i) =>
    Math.log1p(Math.exp(ROWS[i]!.label === 'good' ? bad! - good! : good! - bad!)),
  );
  const loss = losses.reduce((sum, one) => sum + one, 0) / ROWS.length;
  const { eval_loss, eval_accuracy } = JSON.parse(scored.stdout);
  expect(eval_loss).toBeCloseTo(loss, 5);
  const right = logits.filter(([bad, good], i) => (good! > bad! ? 'good' : 'bad') === ROWS[i]!.label);
  expect(eval_accuracy).toBeCloseTo(right.length / ROWS.length, 10);
  return { logits, loss };
}

/** The largest difference between two commands' logits, relative to the largest logit. */
function distance(one: Answers, other: Answers): number {
  const [a, b] = [one.logits.flat(), other.logits.flat()];
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / largest;
}

/** float32 on two engines, which sum some dozens of terms in different orders. */
const ENGINES = 1e-5;

/**
 * The maximum change of logits by rounding the frozen weights, relative to the logits. A weight is off by half a
 * step: 1/254 (int8) or 1/14 (int4) of the largest one in its block. Two layers of six products average that, and
 * int8 also rounds their inputs: 1 % and 6 % were measured.
 */
const ROUNDING = { int8: 0.04, int4: 0.2 };

/** The measured change. */
const distances: { int8?: number; int4?: number } = {};

it('computes the same in WebAssembly, differently', async () => {
  const wasm = await answers('--device', 'wasm');
  expect(distance(wasm, float32)).toBeLessThan(ENGINES);
  // Its kernels round differently: equal bits in 96 numbers would mean the other engine.
  expect(wasm.logits).not.toEqual(float32.logits);
});

describe.each(['int8', 'int4'] as const)('over a base in %s', (type) => {
  let cpu: Answers;
  beforeAll(async () => {
    cpu = await answers('--base-dtype', type);
    distances[type] = distance(cpu, float32);
  });

  it('gives nearly, but not exactly, the results with a float32 base', () => {
    expect(distances[type]).toBeLessThan(ROUNDING[type]);
    expect(distances[type]).toBeGreaterThan(10 * ENGINES);
    // A loss changes at most twice as much as its logits.
    expect(Math.abs(cpu.loss - float32.loss)).toBeLessThan(2 * ROUNDING[type] * largest);
  });

  it('gives the same in WebAssembly', async () => {
    const wasm = await answers('--base-dtype', type, '--device', 'wasm');
    // Activations halfway between two bytes may be rounded either way.
    expect(distance(wasm, cpu)).toBeLessThan(type === 'int8' ? ROUNDING.int8 / 10 : ENGINES);
  });
});

it('loses more to int4 than to int8', () => {
  expect(distances.int4).toBeGreaterThan(2 * distances.int8!);
});

it('applies to a merged model too', async () => {
  await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged'));
  const logits = async (type: string) =>
    (await workspace.run('predict', 'merged', 'dev.tsv', '--logits', '--base-dtype', type)).stdout;
  const [plain, int8] = await Promise.all([logits('float32'), logits('int8')]);
  expect(int8.split('\n')).toHaveLength(ROWS.length + 1);
  expect(int8).not.toBe(plain);
});

it('rejects a type that would change nothing', async () => {
  writeTinyTextModel(workspace.path('gpt2'), 'gpt2');
  await refuses(
    workspace.run('generate', 'gpt2', '--prompt', 'a', '--base-dtype', 'int8'),
    /^base_dtype int8 /,
  );
});

it('rejects an unknown type', async () => {
  await refuses(workspace.run('eval', 'run', 'dev.tsv', '--base-dtype', 'int2'), 'float32, int8, int4');
});

it('a run without evaluations reports its score with the float32 base without a comparison', async () => {
  const { code, stdout } = await workspace.train(
    'output=int8',
    'base_dtype=int8',
    'training.eval_strategy=no',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/With the float32 base model, eval_accuracy is \d\.\d{4}/m);
});

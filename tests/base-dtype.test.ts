import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import { Workspace } from './support/workspace.ts';

const ROWS = tinyRows(48, 2);

/** What a command's flags give on the validation rows, and the loss that they give by themselves. */
interface Answers {
  logits: number[][];
  loss: number;
}

let workspace: Workspace;
let float32: Answers;
let largest: number;
beforeAll(async () => {
  workspace = new Workspace();
  expect(await workspace.train()).toMatchObject({ code: 0, stderr: '' });
  float32 = await answers('--base-dtype', 'float32', '--device', 'cpu');
  largest = Math.max(...float32.logits.flat().map(Math.abs));
});
afterAll(() => workspace.remove());

/** `predict` and `eval` of the run with these flags; the one must say of its logits what the other says. */
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
    Math.log1p(Math.exp(ROWS[i].label === 'good' ? bad - good : good - bad)),
  );
  const loss = losses.reduce((sum, one) => sum + one, 0) / ROWS.length;
  const { eval_loss, eval_accuracy } = JSON.parse(scored.stdout);
  expect(eval_loss).toBeCloseTo(loss, 5);
  const right = logits.filter(([bad, good], i) => (good > bad ? 'good' : 'bad') === ROWS[i].label);
  expect(eval_accuracy).toBeCloseTo(right.length / ROWS.length, 10);
  return { logits, loss };
}

/** The largest difference between two commands' logits, as a share of the largest of them. */
function distance(one: Answers, other: Answers): number {
  const [a, b] = [one.logits.flat(), other.logits.flat()];
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]))) / largest;
}

/** float32 on two engines, which add up some dozens of terms in other orders. */
const ENGINES = 1e-5;

/**
 * How far rounding the frozen weights takes the logits at most, as a share of them. A weight is off by half a step:
 * 1/254 (int8) or 1/14 (int4) of the largest one in its block. Two layers of six products average that, and int8 rounds
 * what goes into them too: 1 % and 6 % were seen.
 */
const ROUNDING = { int8: 0.04, int4: 0.2 };

/** How far it did. */
const distances: { int8?: number; int4?: number } = {};

it('computes the same in WebAssembly, in another way', async () => {
  const wasm = await answers('--device', 'wasm');
  expect(distance(wasm, float32)).toBeLessThan(ENGINES);
  // Its kernels round elsewhere: with the same bits in 96 numbers it would have been the other engine.
  expect(wasm.logits).not.toEqual(float32.logits);
});

describe.each(['int8', 'int4'] as const)('over a base in %s', (type) => {
  let cpu: Answers;
  beforeAll(async () => {
    cpu = await answers('--base-dtype', type);
    distances[type] = distance(cpu, float32);
  });

  it('comes near to what it gives over float32, and does not give it', () => {
    expect(distances[type]).toBeLessThan(ROUNDING[type]);
    expect(distances[type]).toBeGreaterThan(10 * ENGINES);
    // A loss moves at most twice as far as its logits.
    expect(Math.abs(cpu.loss - float32.loss)).toBeLessThan(2 * ROUNDING[type] * largest);
  });

  it('gives the same in WebAssembly', async () => {
    const wasm = await answers('--base-dtype', type, '--device', 'wasm');
    // Activations on the edge between two bytes may fall to either side.
    expect(distance(wasm, cpu)).toBeLessThan(type === 'int8' ? ROUNDING.int8 / 10 : ENGINES);
  });
});

it('loses more to int4 than to int8', () => {
  expect(distances.int4).toBeGreaterThan(2 * distances.int8!);
});

it('counts for a merged model too', async () => {
  expect(await workspace.run('merge', 'run', '-o', 'merged')).toMatchObject({ code: 0 });
  const logits = async (type: string) =>
    (await workspace.run('predict', 'merged', 'dev.tsv', '--logits', '--base-dtype', type)).stdout;
  const [plain, int8] = await Promise.all([logits('float32'), logits('int8')]);
  expect(int8.split('\n')).toHaveLength(ROWS.length + 1);
  expect(int8).not.toBe(plain);
});

it('refuses a type that would change nothing', async () => {
  writeTinyTextModel(workspace.path('gpt2'), 'gpt2');
  const { code, stderr } = await workspace.run('generate', 'gpt2', '--prompt', 'a', '--base-dtype', 'int8');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      'base_dtype: expected float32, got int8, and no linear weight of this gpt2 that can be kept so.\n',
  });
});

it('refuses a type that there is not', async () => {
  const { code, stderr } = await workspace.run('eval', 'run', 'dev.tsv', '--base-dtype', 'int2');
  expect(code).toBe(2);
  expect(stderr).toContain('float32, int8, int4');
});

it('a run without evaluations tells what it is worth over float32, and compares that with nothing', async () => {
  const { code, stdout } = await workspace.train(
    'output=int8',
    'base_dtype=int8',
    'training.eval_strategy=no',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/over the float32 base eval_accuracy is \d\.\d{4}$/m);
});

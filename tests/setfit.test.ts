import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace, succeeds } from './support/commands.ts';

/* Models of few rows, and SetFit's folders. SETFIT_PYTHON is a Python with setfit. */

const { SETFIT_PYTHON = '' } = process.env;
const TEXTS = ['a very good cat .', 'a bad dog', 'fish'];

const workspace = newWorkspace();
const path = (...names: string[]) => workspace.path(...names);

async function probabilities(folder: string) {
  const model = await open(folder);
  try {
    const answers = model.predict(TEXTS.map((text) => ({ text })));
    const all: Record<string, number>[] = [];
    for await (const { probabilities } of answers) all.push(probabilities);
    return all;
  } finally {
    await model.close();
  }
}

beforeAll(async () => {
  const settings = ['method=adalora', 'data.pooling=mean', 'training.max_steps=4'];
  await succeeds(workspace.train(...settings));
  await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged'));
  cpSync(path('merged'), path('setfit'), { recursive: true });
  rmSync(path('setfit', 'adalora.json'));
}, 300_000);

it("a merged model has SetFit's labels beside its head", () => {
  expect(JSON.parse(readFileSync(path('merged', 'config_setfit.json'), 'utf8'))).toEqual({
    normalize_embeddings: false,
    labels: ['bad', 'good'],
  });
  expect(existsSync(path('merged', 'modules.json'))).toBe(true);
});

it('a folder of SetFit with its head as tensors classifies', async () => {
  // The length of texts and everything else is in SetFit's files.
  const [found, own] = [await probabilities(path('setfit')), await probabilities(path('merged'))];
  // The same float32 sums.
  for (const [i, one] of own.entries())
    for (const [label, value] of Object.entries(one)) expect(found[i]![label]).toBeCloseTo(value, 5);
});

it('a pickled head is refused, and the body still makes vectors', async () => {
  cpSync(path('setfit'), path('pickled'), { recursive: true });
  rmSync(path('pickled', 'head.safetensors'));
  writeFileSync(path('pickled', 'model_head.pkl'), 'cos\nsystem\n(S"touch executed"\ntR.');
  await expect(open(path('pickled'))).rejects.toThrow('is a model of SetFit whose head is a pickle');
  const body = await open(path('pickled'), { embeds: true });
  expect(await body.embed(TEXTS)).toHaveLength(3);
  await body.close();
  expect(existsSync('executed')).toBe(false);
});

it('settings that do not fit are refused', async () => {
  for (const [settings, fault] of [
    [{ labels: ['a', 'b', 'c'] }, 'has 3 labels, but head.safetensors has 2'],
    [{ labels: null, normalize_embeddings: true }, 'normalizes vectors outside of the model'],
    [{ labels: 3 }, 'is not valid'],
  ] as const) {
    writeFileSync(path('setfit', 'config_setfit.json'), JSON.stringify(settings));
    await expect(open(path('setfit'))).rejects.toThrow(fault);
  }
});

it.skipIf(!existsSync(SETFIT_PYTHON))(
  'SetFit predicts the same (needs SETFIT_PYTHON)',
  async () => {
    writeFileSync(path('texts.json'), JSON.stringify(TEXTS));
    const script = ['scripts/oracle/setfit_model.py', path('merged'), path('texts.json')];
    const { stdout, stderr } = spawnSync(SETFIT_PYTHON, script, { encoding: 'utf8' });
    const own = await probabilities(path('merged'));
    expect(stdout, stderr.slice(-2000)).toContain('{');
    const { labels, probabilities: theirs } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    // float32 in PyTorch and here.
    for (const [i, row] of own.entries())
      labels.forEach((label: string, k: number) => expect(theirs[i][k]).toBeCloseTo(row[label]!, 4));
  },
  300_000,
);

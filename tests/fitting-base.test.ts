import { beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../scripts/conformance/compare.ts';
import { type Example, exportedLogits, ourLogits } from '../scripts/transformers-js/compare-logits.ts';
import { disk } from '../src/input/formats/node/folder-files.ts';
import type { BaseDtype } from '../src/program/bases/base-dtype.ts';
import type { ClassAnswer } from '../src/tasks/single-label-classification/definition.ts';
import { adapterIn } from '../src/use/serving/find-adapters.ts';
import { PackedCache, readContent, servedAdapter } from '../src/use/serving/served-adapter.ts';
import { BaseModel } from '../src/use/serving/served-base.ts';
import { models } from '../src/use/trained/node/load-model.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';

const TEXTS = tinyRows(12, 2).map(({ text }) => text);
const START = ['method=lora', 'lora.init_lora_weights=loftq', 'lora.target_modules=[query, output.dense]'];

const workspace = newWorkspace();
let printed: string;
beforeAll(async () => {
  const { code, stdout } = await workspace.train(...START, 'base_dtype=int4', 'training.max_steps=12');
  expect(code).toBe(0);
  printed = stdout;
});

async function logitsOf(path: string, baseDtype?: BaseDtype): Promise<number[]> {
  await using opened = await open(workspace.path(path), { baseDtype, model: workspace.path('model') });
  const logits: number[] = [];
  const inputs = TEXTS.map((text) => ({ text }));
  for await (const answer of opened.predict<{ text: string }, ClassAnswer>(inputs))
    logits.push(...answer.logits);
  return logits;
}

// The int4 kernel and the float32 product add in another order.
const LIMIT = 1e-4;

describe('an adapter that fits int4 weights only', () => {
  it('is opened over them, and merged into them', async () => {
    const trained = await logitsOf('run');
    expect(await logitsOf('run', 'int4')).toEqual(trained);
    expect(await workspace.run('export', 'run', '--as', 'merged', '-o', 'merged')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(largestDifference(await logitsOf('merged'), trained)).toBeLessThan(LIMIT);
    // The merged model needs no other base.
    await logitsOf('merged', 'int8');
    expect(workspace.read('merged', 'adalora.json').toString()).not.toContain('base_dtype');
  });

  it('is exported to ONNX with them', async () => {
    const examples: Example[] = TEXTS.map((text) => [text]);
    await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged-for-onnx'));
    const output = ['export', 'run', '--as', 'onnx', '-o', 'onnx'];
    await succeeds(workspace.run(...output));
    const { batch, logits } = await ourLogits(workspace.path('merged-for-onnx'), examples);
    expect(
      largestDifference(await exportedLogits(workspace.path('onnx'), 'model.onnx', batch), logits),
    ).toBeLessThan(LIMIT);
  });

  it.each(['float32', 'int8'])('is not put on %s weights', async (dtype) => {
    await refuses(
      workspace.run('predict', 'run', 'dev.tsv', '--base-dtype', dtype),
      `was trained on int4 weights and corrects their rounding errors, so it does not fit ${dtype} weights.`,
    );
  });

  it('is not scored with the float32 base when its run ends', () => {
    expect(printed).toContain('accuracy');
    expect(printed).not.toContain('With the float32 base model');
    expect(printed).toContain('npx adalora serve run --base_dtype int4');
  });

  it('is not continued over other weights, and stays one', async () => {
    const more = ['method=lora', 'adapter=run', 'training.max_steps=2'];
    const refused = await workspace.train(...more, 'output=other');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('adapter: run was trained on int4 weights');
    await succeeds(workspace.train(...more, 'base_dtype=int4', 'output=more'));
    expect(workspace.read('more', 'adapter', 'adalora.json').toString()).toContain('"base_dtype": "int4"');
  });

  it('is served over them only', async () => {
    const served = async (dtype: BaseDtype) => {
      const base = await BaseModel.open(models, workspace.path('model'), dtype);
      try {
        const found = adapterIn(disk, workspace.path('run'))!;
        const read = () => readContent(found, base);
        return (await servedAdapter(found, 'a', base, new PackedCache(2 ** 20), read)).name;
      } finally {
        base.close();
      }
    };
    await expect(served('float32')).rejects.toThrow('does not fit float32 weights');
    expect(await served('int4')).toBe('a');
  });

  it('stays one as plain LoRA, and its card names no library that lacks the weights', async () => {
    await succeeds(workspace.run('export', 'run', '--as', 'lora', '-o', 'plain'));
    expect(workspace.read('plain', 'adalora.json').toString()).toContain('"base_dtype": "int4"');
    const card = workspace.read('run', 'README.md').toString();
    expect(card).toContain('The adapter fits only int4 weights');
    expect(card).not.toContain('PeftModel');
  });
});

it('an adapter of an int4 base that fits all weights is still opened with a float32 base', async () => {
  const { stdout } = await workspace.train(
    'method=lora',
    'base_dtype=int4',
    'training.max_steps=4',
    'output=lora',
  );
  expect(stdout).toContain('With the float32 base model');
  expect(await logitsOf('lora')).toEqual(await logitsOf('lora', 'float32'));
});

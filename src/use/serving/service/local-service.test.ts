import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type MadeAdapter, writeMadeAdapter } from '../../../../tests/support/made-adapter.ts';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { type SmallGenerator, writeSmallGenerator } from '../../../../tests/support/small-generator.ts';
import { writeTinyHead } from '../../../../tests/support/tiny-head.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import type { ClassAnswer } from '../../../tasks/single-label-classification/definition.ts';
import { models } from '../../trained/node/load-model.ts';
import { open } from '../../trained/node/open.ts';
import { AdapterFolders } from '../adapter-folders.ts';
import type { EngineRun } from '../engine-run.ts';
import { AdapterPlaces } from '../find-adapters.ts';
import { readContent, serveBase } from '../served-adapter.ts';
import { BaseModel } from '../served-base.ts';
import { Serving } from '../serving.ts';
import { LocalService } from './local-service.ts';

/** Sums of float32 products change their order in a batch with other rows. Logits here are near 1. */
const ROUNDING = 1e-4;

const ENCODERS = ['modernbert', 'mpnet', 'albert'];
const DECODERS = ['phi3', 'gemma3_text', 'smollm3', 'gpt_neox'] as const satisfies SmallGenerator[];

let root: string;
beforeEach(() => {
  root = newFolder();
});

/** Writes adapters of different methods, ranks and modules for the base model in `root`. */
function makeAdapters(made: Partial<MadeAdapter>): string[] {
  const methods = ['lora', 'adalora', 'pfeiffer'] as const;
  return methods.map((method, i) => {
    const folder = join(root, method);
    writeMadeAdapter(folder, join(root, 'base'), {
      method,
      rank: 2 + i,
      seed: i,
      targets: 'all-linear',
      ...made,
    });
    return folder;
  });
}

/** Serves the base model and all adapters of `root`, without a thread and a port. */
async function served() {
  const base = await BaseModel.open(models, join(root, 'base'), 'float32');
  const runs: EngineRun[] = [];
  const [limits, onRun] = [{ maxRows: 16, maxQueued: 100, slots: 8 }, (run: EngineRun) => runs.push(run)];
  const serving = new Serving(base, {
    rows: { ...limits, maxTokens: 2048, maxWait: 100, batches: base.batches, onBatch: onRun },
    decoding: { ...limits, onRun },
  });
  const refused: unknown[] = [];
  const adapters = new AdapterFolders(
    new AdapterPlaces(disk, [root]),
    base,
    serving,
    (event) => {
      if (event.type === 'refused') refused.push(event);
    },
    (found) => readContent(found, base),
  );
  const own = await serveBase(base);
  if (own) await serving.add(own);
  await adapters.readAll();
  await serving.open();
  expect(refused).toEqual([]);
  const service = new LocalService(serving, adapters);
  const close = async () => {
    await service.close();
    base.close();
  };
  return { service, runs, close };
}

describe('classifications in batches with other adapters equal those of the opened adapter', () => {
  it.each([...ENCODERS, ...DECODERS])('%s', async (family) => {
    writeTinyHead(join(root, 'base'), family, 'SEQ_CLS');
    const folders = [join(root, 'base'), ...makeAdapters({})];
    const texts = ['the cat sat on the mat', 'a good dog'];
    const { service, runs, close } = await served();
    const answers = await Promise.all(
      folders.map((folder) => {
        const model = folder.slice(root.length + 1);
        return service.predict({
          model,
          inputs: texts.map((text) => ({ text })),
          raw: true,
          truncate: false,
        });
      }),
    );
    await close();
    // ModernBERT's bottlenecks train norms in full, so they have a session of their own.
    const mixed = folders.length - Number(family === 'modernbert');
    expect(Math.max(...runs.map(({ adapters }) => adapters))).toBe(mixed);
    for (const [i, folder] of folders.entries()) {
      await using model = await open(folder);
      const expected: ClassAnswer[] = [];
      for await (const answer of model.predict(texts.map((text) => ({ text })))) expected.push(answer);
      for (const [row, { logits }] of expected.entries()) {
        const scores = answers[i]![row] as { label: string; score: number }[];
        expect(scores).toHaveLength(logits.length);
        for (const { label, score } of scores)
          expect(Math.abs(score - logits[model.labels.indexOf(label)]!)).toBeLessThan(ROUNDING);
      }
    }
  });
});

describe('texts that are generated beside those of other adapters equal those of the opened adapter', () => {
  it.each(DECODERS)('%s', async (family) => {
    writeSmallGenerator(join(root, 'base'), family, { architectures: ['XForCausalLM'] });
    const made = { task: 'causal_lm', labels: [], data: { text: 'text' } } as const;
    const folders = [join(root, 'base'), ...makeAdapters({ ...made, deviation: 0.1 })];
    // One prompt is longer than the attention windows, and one is shorter.
    const prompts = ['the cat and the dog', 'a'];
    const generation = { max_new_tokens: 12, do_sample: false };
    const { service, runs, close } = await served();
    const written = await Promise.all(
      folders.flatMap((folder) =>
        prompts.map((prompt) =>
          service.write({
            model: folder.slice(root.length + 1),
            prompt,
            generation,
            seed: 0,
            stop: [],
          }),
        ),
      ),
    );
    await close();
    expect(Math.max(...runs.map(({ adapters }) => adapters))).toBe(folders.length);
    const texts = written.map(({ text }) => text);
    // Adapters change the texts, so that one adapter's text would not pass for another's.
    expect(new Set(texts).size).toBeGreaterThan(folders.length);
    for (const [i, folder] of folders.entries()) {
      await using model = await open(folder, { generates: true });
      for (const [row, prompt] of prompts.entries()) {
        const { text } = await model.generate(prompt, generation);
        expect(texts[i * prompts.length + row]).toBe(text);
      }
    }
  });
});

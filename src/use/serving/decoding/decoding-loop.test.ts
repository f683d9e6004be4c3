import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { type TinyFamily, writeTinyTextModel } from '../../../../tests/support/tiny-text-model.ts';
import { AdaLoraTuner } from '../../../methods/tuners/adalora/adalora-tuner.ts';
import { packAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { adaLoraConfigSchema } from '../../../methods/tuners/composed/pruned-triplets.ts';
import { loraConfigSchema } from '../../../methods/tuners/lora/config.ts';
import { LoraTuner } from '../../../methods/tuners/lora/lora-tuner.ts';
import { defaultTargets } from '../../../methods/tuners/targets/adapted-modules.ts';
import { FROZEN, type TunedValues } from '../../../methods/tuners/tuner.ts';
import { openLanguageModel } from '../../../program/generation/causal-language-model.ts';
import { generate } from '../../../program/generation/generate.ts';
import { generationSettings } from '../../../program/generation/generation-settings.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { Random } from '../../../support/random.ts';
import { openModel } from '../../trained/node/load-model.ts';
import { EMPTY_SHAPE, withRoom } from '../bank/bank-shape.ts';
import { Overloaded } from '../service/service-errors.ts';
import { DecodingLoop } from './decoding-loop.ts';

const folder = newFolder();
const families: TinyFamily[] = ['llama', 'gpt2'];
beforeAll(() => {
  for (const family of families) writeTinyTextModel(join(folder, family), family);
});

/** The base model, two LoRA adapters and an AdaLoRA adapter. */
function tunings(model: LoadedModel): TunedValues[] {
  const target_modules = [...defaultTargets(model, 'many')];
  const tuners = [
    LoraTuner.create(model, loraConfigSchema.parse({ r: 2, lora_alpha: 4, target_modules })),
    LoraTuner.create(model, loraConfigSchema.parse({ r: 5, lora_alpha: 4, target_modules })),
    AdaLoraTuner.create(model, adaLoraConfigSchema.parse({ target_r: 3, init_r: 3, target_modules })),
  ];
  return [
    FROZEN,
    ...tuners.map((tuner, i) => ({
      tuner,
      values: new Random(i, 'adapter').normals(tuner.layout.length, 0.3),
    })),
  ];
}

async function opened(family: TinyFamily, limits = { maxRows: 3, maxQueued: 20 }) {
  const model = await openModel(join(folder, family), tokenModel('CAUSAL_LM'));
  const all = tunings(model).map((tuned) => ({ tuned, packed: packAdapter(model, tuned, 'test') }));
  const shape = all.reduce((shape, { packed }) => withRoom(shape, packed), EMPTY_SHAPE);
  const loop = await DecodingLoop.open(nodeEngine(model, 'cpu'), model, shape, { ...limits, slots: 2 });
  return { model, all, loop };
}

it.each(families)(
  '%s: sequences of different adapters come and go, and generate the same as alone',
  async (family) => {
    const { model, all, loop } = await opened(family);
    const random = new Random(3, 'prompts');
    const asked = Array.from({ length: 12 }, (_, i) => ({
      ...all[i % all.length]!,
      prompt: Int32Array.from({ length: 1 + random.integer(30) }, () => 5 + random.integer(400)),
      settings: generationSettings({
        user: { max_new_tokens: 2 + random.integer(12), do_sample: i % 2 === 0, eos_token_id: 7 },
      }),
      seed: i,
    }));
    const written = await Promise.all(
      asked.map(async ({ tuned, packed, prompt, settings, seed }) => {
        const sequence = loop.sequence(tuned, packed);
        const [row] = await generate(sequence, [prompt], settings, { seed });
        await sequence.release();
        return row;
      }),
    );
    expect([loop.running, loop.queued]).toEqual([0, 0]);
    for (const [i, { tuned, prompt, settings, seed }] of asked.entries()) {
      const alone = await openLanguageModel({ engine: nodeEngine(model, 'cpu'), model: model, ...tuned });
      expect(written[i]).toEqual((await generate(alone, [prompt], settings, { seed }))[0]);
      await alone.release();
    }
    // The adapters generate different texts.
    expect(new Set(written.map(String)).size).toBe(written.length);
    await loop.release();
    model.close();
  },
);

it('drops aborted sequences, whether they wait, are read or generate', async () => {
  const { model, all, loop } = await opened('llama', { maxRows: 1, maxQueued: 5 });
  const settings = generationSettings({ user: { max_new_tokens: 40 } });
  const controllers = Array.from({ length: 3 }, () => new AbortController());
  const ends = controllers.map(async ({ signal }, i) => {
    const sequence = loop.sequence(all[i]!.tuned, all[i]!.packed);
    try {
      await generate(sequence, [Int32Array.of(5, 6, 9)], settings, { signal });
      return 'written';
    } catch (error) {
      return error;
    } finally {
      await sequence.release();
    }
  });
  controllers[0]!.abort('gone 0');
  controllers[1]!.abort('gone 1');
  expect(await Promise.all(ends)).toEqual(['gone 0', 'gone 1', 'written']);
  expect([loop.running, loop.queued]).toEqual([0, 0]);
  await loop.release();
  model.close();
});

it('has a bounded queue', async () => {
  const { model, all, loop } = await opened('llama', { maxRows: 1, maxQueued: 1 });
  const settings = generationSettings({ user: { max_new_tokens: 3 } });
  const ends = await Promise.all(
    [0, 1, 2, 3].map(async (i) => {
      const sequence = loop.sequence(all[i]!.tuned, all[i]!.packed);
      return generate(sequence, [Int32Array.of(5, 6)], settings, {})
        .then(
          () => 'written',
          (error) => error,
        )
        .finally(() => sequence.release());
    }),
  );
  expect(ends.filter((end) => end === 'written').length).toBeGreaterThan(0);
  expect(ends.some((end) => end instanceof Overloaded)).toBe(true);
  await loop.release();
  model.close();
});

it('an adapter that does not fit into its slot fails alone', async () => {
  const { model, all, loop } = await opened('llama');
  const { tuned, packed } = all[1]!;
  const target_modules = [...defaultTargets(model, 'many')];
  const wide = LoraTuner.create(model, loraConfigSchema.parse({ r: 9, lora_alpha: 4, target_modules }));
  const tooWide = packAdapter(model, { tuner: wide, values: new Float32Array(wide.layout.length) }, 'test');
  const settings = generationSettings({ user: { max_new_tokens: 5 } });
  const write = async (adapter: object, slot: typeof packed) => {
    const sequence = loop.sequence(adapter, slot);
    try {
      return (await generate(sequence, [Int32Array.of(5, 9, 30)], settings, {}))[0];
    } finally {
      await sequence.release();
    }
  };
  const expected = await write(tuned, packed);
  const ends = await Promise.allSettled([write(tuned, packed), write(wide, tooWide), write(tuned, packed)]);
  expect(ends).toMatchObject([{ value: expected }, { status: 'rejected' }, { value: expected }]);
  expect([loop.running, loop.queued]).toEqual([0, 0]);
  await loop.release();
  model.close();
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { everyParameter } from '../src/methods/tuners/full/definition.ts';
import { loraConfigSchema } from '../src/methods/tuners/lora/config.ts';
import { lora } from '../src/methods/tuners/lora/definition.ts';
import { FROZEN, type TunedValues } from '../src/methods/tuners/tuner.ts';
import { openLanguageModel } from '../src/program/generation/causal-language-model.ts';
import { generate } from '../src/program/generation/generate.ts';
import type { GenerationConfig } from '../src/program/generation/generation-config.ts';
import { generationSettings } from '../src/program/generation/generation-settings.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { tokenModel } from '../src/program/objectives/token-model.ts';
import type { LoadedModel } from '../src/program/weight-memory.ts';
import { elementCount } from '../src/support/arrays.ts';
import { Random } from '../src/support/random.ts';
import { models } from '../src/use/trained/node/load-model.ts';
import { readAdapter, writeAdapter } from './support/adapter-folder.ts';
import { openIn } from './support/describe-in.ts';
import { newFolder } from './support/new-folder.ts';
import { type SmallGenerator, writeSmallGenerator } from './support/small-generator.ts';

const CONFIGS: GenerationConfig[] = [
  { max_new_tokens: 12 },
  { max_new_tokens: 10, num_beams: 4, no_repeat_ngram_size: 2 },
  { max_new_tokens: 12, do_sample: true, temperature: 0.8 },
];
const PROMPTS = [Int32Array.of(1, 20, 33, 47, 58), Int32Array.of(1, 90)];

const folder = newFolder();

describe.each<SmallGenerator>(['bart', 'gpt2'])('a LoRA adapter of %s', (type) => {
  it('generates like the merged model', async () => {
    const [base, path] = [join(folder, type), join(folder, `${type}-lora`)];
    writeSmallGenerator(base, type);
    writeRandomLora(path, base, type === 'bart' ? 'SEQ_2_SEQ_LM' : 'CAUSAL_LM');
    const loaded = await models.openTuned(path, { generates: true });
    expect(loaded.model.headKind).toBe(type === 'bart' ? 'SEQ_2_SEQ_LM' : 'CAUSAL_LM');
    const { model } = loaded;
    const adapted = await textsOf(model, loaded);
    expect(adapted).toEqual(await textsOf(model, merged(model, loaded)));
    expect(adapted).not.toEqual(await textsOf(model, FROZEN));
    model.close();
  });
});

async function textsOf(model: LoadedModel, { tuner, values }: TunedValues): Promise<string[]> {
  const opened = await openLanguageModel({ engine: nodeEngine(model, 'cpu'), model, tuner, values });
  const texts: string[] = [];
  const tokens = { pad_token_id: 0, eos_token_id: 2, decoder_start_token_id: 2 };
  for (const config of CONFIGS) {
    const rows = await generate(opened, PROMPTS, generationSettings({ user: { ...tokens, ...config } }));
    texts.push(...rows.map((row) => row.join(' ')));
  }
  await opened.release();
  return texts;
}

/** The model with the adapter merged; all its parameters are then values. */
function merged(model: LoadedModel, adapter: TunedValues): TunedValues {
  const tuner = everyParameter(model);
  const read = adapter.tuner.merged!(adapter.values, model.readRange);
  return { tuner, values: tuner.initialValues(0, (name, shape) => read(name, 0, elementCount(shape))) };
}

function writeRandomLora(path: string, base: string, head: 'CAUSAL_LM' | 'SEQ_2_SEQ_LM'): void {
  const model = openIn(base, tokenModel(head));
  const config = loraConfigSchema.parse({ r: 3, target_modules: 'all-linear' });
  const run = lora.start(model, config, 1);
  const values = new Random(8, 'adapter').normals(run.tuner.layout.length, 0.3);
  writeAdapter(path, run.store!(values, base));
  model.close();
}

describe('generation rejects', () => {
  it.each<[string, () => string | Promise<string>, RegExp]>([
    [
      'an adapter for another task',
      async () => {
        const path = join(folder, 'classifier');
        const { config, ...rest } = await readAdapter(join(folder, 'gpt2-lora'));
        writeAdapter(path, { ...rest, config: { ...config, task_type: 'SEQ_CLS' } });
        return path;
      },
      /is an adapter for another task\. generate needs a language model\. Use adalora predict/,
    ],
    ['what is nowhere', () => join(folder, 'nothing'), /nothing does not exist/],
  ])('%s', async (_, path, message) => {
    await expect(models.openTuned(await path(), { generates: true })).rejects.toThrow(message);
  });
});

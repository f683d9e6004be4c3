import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/input/text/batches.ts';
import { loraConfigSchema } from '../../src/methods/tuners/lora/config.ts';
import { METHOD_NAMES } from '../../src/methods/tuners/registry.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { Program } from '../../src/program/program.ts';
import { startMethod } from '../../src/studies/jobs/set-up-run.ts';
import { Random } from '../../src/support/random.ts';
import type { RunConfig } from '../../src/training/run/config/run-config.ts';
import { onnxFiles } from '../../src/use/optimum/onnx-files.ts';
import { newModel } from '../../src/use/trained/bind-model.ts';
import { onnxSource } from '../../src/use/trained/onnx-folder.ts';
import { methodConfig } from '../support/method-config.ts';
import { tinyModels } from './tiny-families.ts';

/** An encoder, a decoder with transposed weights, and two stacks. */
const FAMILIES = ['bert', 'gpt2', 'bart'] as const;

/** Every method, and the variants of LoRA with other graphs. LoftQ's graph is LoRA's, see tests/fitting-base.test.ts. */
const CONFIGS: [string, RunConfig][] = [
  ...METHOD_NAMES.map((name): [string, RunConfig] => [name, methodConfig(name)]),
  ...Object.entries({
    DoRA: { use_dora: true },
    PiSSA: { init_lora_weights: 'pissa' },
    'DoRA from PiSSA': { use_dora: true, init_lora_weights: 'pissa' },
    rsLoRA: { use_rslora: true },
  }).map(([name, lora]): [string, RunConfig] => [
    name,
    { ...methodConfig('lora'), lora: loraConfigSchema.parse({ r: 2, ...lora }) } as RunConfig,
  ]),
];

/** Two texts of different lengths. */
const BATCH: Batch = {
  inputIds: Int32Array.of(5, 9, 13, 7, 2, 6, 11, 2, 0, 0),
  attentionMask: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0),
  tokenTypeIds: new Int32Array(10),
  batch: 2,
  length: 5,
};

/** The logits of a file with one graph. */
async function logitsOf(file: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const { inputIds, attentionMask, tokenTypeIds, batch, length } = BATCH;
  const given = { input_ids: inputIds, attention_mask: attentionMask, token_type_ids: tokenTypeIds };
  const feeds = Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => session.inputNames.includes(name))
      .map(([name, ids]) => [name, new Tensor('int64', BigInt64Array.from(ids, BigInt), [batch, length])]),
  );
  const { logits } = await session.run(feeds);
  await session.release();
  return logits!.data as Float32Array;
}

describe.each(CONFIGS)('%s exported to ONNX', (_, config) => {
  const fitting = FAMILIES.map((family) => ({ family, model: tinyModels(family)[0]! }));

  it.each(fitting)('has the logits of its predictions on $family', async ({ model }) => {
    const loaded = newModel(model, '');
    const { tuner } = startMethod(config, loaded, 40).run;
    const noise = new Random(7, 'trained').normals(tuner.layout.length, 0.2);
    const values = tuner.initialValues(3, loaded.reader(3)).map((value, i) => value + noise[i]!);
    const source = () => onnxSource({ model: loaded, tuner, values, notes: undefined });
    const [{ files }] = onnxFiles(source(), ['fp32']) as [ReturnType<typeof onnxFiles>[number]];
    const [stream] = [...files.values()];
    const exported = await logitsOf(Buffer.concat([...stream!.chunks()]));
    const program = new Program(nodeEngine(loaded, 'cpu'), loaded, tuner);
    const expected = await program.predict(values, modelFeeds(BATCH));
    await program.release();
    expect(exported).toHaveLength(expected.length);
    // A merged weight is rounded once more, and products add in another order.
    const scale = Math.max(...expected.map(Math.abs));
    expected.forEach((logit, i) => expect(Math.abs(exported[i]! - logit)).toBeLessThan(2e-5 * scale));
  });
});

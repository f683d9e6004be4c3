import { describe, expect, it } from 'vitest';
import { modelFamily } from '../../../models/registry.ts';
import type { ExampleSet } from '../../../program/example-set.ts';
import { modelFeeds } from '../../../program/objectives/model-inputs.ts';
import { classLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../../training/run/config/run-config.ts';
import { allowedBases, planRun } from './plan.ts';

const BERT = {
  model_type: 'bert',
  vocab_size: 100,
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  intermediate_size: 1024,
  max_position_embeddings: 64,
};
const GPT2 = { model_type: 'gpt2', vocab_size: 100, n_embd: 64, n_layer: 1, n_head: 2, n_positions: 64 };
/** Elements that an integer base stores as integers: four matrices of 256 x 256 and two of 256 x 1024 per layer. */
const QUANTISED = 4 * (4 * 256 * 256 + 2 * 256 * 1024);

function modelOf(json: Record<string, unknown>): TaskModel {
  const definition = modelFamily(json, 'test');
  return sequenceModel(definition, definition.parseConfig(json, 'test'), classLoss);
}

function configOf(settings: Partial<RunConfigInput> = {}) {
  const data = { train: 'unread', text: 0, label: 1 };
  return parseRunConfig(
    { model: 'unread', output: 'unwritten', data, ...settings, defaults: 'huggingface' },
    'test',
  );
}

/** Examples of 4 to 11 tokens. */
const train: ExampleSet = {
  lengths: Int32Array.from({ length: 40 }, (_, i) => 4 + (i % 8)),
  truncated: 0,
  batch(examples) {
    const batch = examples.length;
    const length = Math.max(...Array.from(examples, (example) => train.lengths[example]!));
    const ones = new Int32Array(batch * length).fill(1);
    const feeds = modelFeeds({ inputIds: ones, attentionMask: ones, tokenTypeIds: ones, batch, length });
    return { feeds: { ...feeds, labels: { data: new Int32Array(batch), dims: [batch] } }, weight: batch };
  },
};

describe('a plan', () => {
  it('estimates every possible type of the base, whichever is configured', () => {
    const plans = (['float32', 'int8', 'int4'] as const).map((base_dtype) =>
      planRun(configOf({ base_dtype, adalora: { init_r: 2, target_r: 1 } }), modelOf(BERT), { train }),
    );
    for (const { bases, baseDtype, memoryMb } of plans) {
      expect(bases).toEqual(plans[0]!.bases);
      expect(bases.find(({ dtype }) => dtype === baseDtype)?.memoryMb).toBe(memoryMb);
    }
    const [float32, int8, int4] = plans[0]!.bases;
    expect([float32!.dtype, int8!.dtype, int4!.dtype]).toEqual(['float32', 'int8', 'int4']);
    // float32 takes eight bytes per element, because there is a copy for each direction. int8 takes two, and
    // the scales. The live tensors of a step differ by some kilobytes.
    const saved = (6 * QUANTISED) / 2 ** 20;
    expect(float32!.memoryMb - int8!.memoryMb).toBeGreaterThan(0.8 * saved);
    expect(float32!.memoryMb - int8!.memoryMb).toBeLessThan(1.2 * saved);
    expect(int4!.memoryMb).toBeLessThan(float32!.memoryMb);
  });
});

it('a plan for images counts those that are differentiated at a time', () => {
  const vit = {
    model_type: 'vit',
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 128,
    image_size: 6,
    patch_size: 2,
  };
  const images: ExampleSet = {
    lengths: new Int32Array(440).fill(10),
    truncated: 0,
    batch({ length: batch }) {
      const pixels = { data: new Float32Array(batch * 108), dims: [batch, 3, 6, 6] };
      return {
        feeds: { pixel_values: pixels, labels: { data: new Int32Array(batch), dims: [batch] } },
        weight: batch,
      };
    },
  };
  // An image has 10 tokens, so 110 images are differentiated at a time.
  const [few, part, many] = [55, 110, 440].map((per_device_train_batch_size) => {
    const config = configOf({ training: { per_device_train_batch_size } });
    return planRun(config, modelOf(vit), { train: images }).memoryMb;
  });
  expect(many).toBe(part);
  expect(few).toBeLessThan(part!);
  // A user's loss needs the whole batch.
  const own = configOf({
    training: { per_device_train_batch_size: 440, compute_loss_func: `function:${'0'.repeat(16)}` as never },
  });
  expect(planRun(own, modelOf(vit), { train: images }).memoryMb).toBeGreaterThan(many!);
});

describe('the possible types of a base', () => {
  it('are a single one if every weight is trained', () => {
    expect(allowedBases(configOf({ method: 'full' }), modelOf(BERT))).toEqual(['float32']);
  });

  it('exclude types that would change no weight, unless configured', () => {
    expect(allowedBases(configOf({ method: 'lora' }), modelOf(GPT2))).toEqual(['float32']);
    const config = configOf({ method: 'lora', base_dtype: 'int4' });
    expect(allowedBases(config, modelOf(GPT2))).toEqual(['float32', 'int4']);
  });
});

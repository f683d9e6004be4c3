import { describe, expect, it } from 'vitest';
import type { HeadKind } from '../../../models/heads/registry.ts';
import { modelFamily } from '../../../models/registry.ts';
import { classLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { houlsby, pfeiffer } from './bottleneck-method.ts';

const METHODS = { houlsby, pfeiffer };

function started(method: keyof typeof METHODS, model: ReturnType<typeof classifier>, settings: object = {}) {
  const { config, start } = METHODS[method];
  return start(model, config.parse(settings), 1);
}

function classifier(json: object) {
  const definition = modelFamily(json, 'test');
  return sequenceModel(definition, { ...definition.parseConfig(json, 'test'), numLabels: 2 }, classLoss);
}

function words(json: object, kind: HeadKind) {
  const definition = modelFamily(json, 'test');
  return tokenModel(kind)(definition, definition.parseConfig(json, 'test'));
}

const SHAPE = {
  vocab_size: 11,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
};
const ATTENTION = 'attention_adapters.adapters.default.adapter_down.0.weight';
const OUTPUT = 'output_adapters.adapters.default.adapter_down.0.weight';

/** Names from `adapters` 1.3.0. */
describe.each<[string, object, string[]]>([
  [
    'bert',
    {},
    ['bert.encoder.layer.0.attention.output', 'bert.encoder.layer.0.output'].map(
      (path) => `${path}.adapters.default.adapter_down.0.weight`,
    ),
  ],
  [
    'distilbert',
    { dim: 8, n_layers: 1, n_heads: 2, hidden_dim: 12 },
    [ATTENTION, OUTPUT].map((name) => `distilbert.transformer.layer.0.${name}`),
  ],
  [
    'gpt2',
    { n_embd: 8, n_layer: 1, n_head: 2 },
    [ATTENTION, OUTPUT].map((name) => `transformer.h.0.${name}`),
  ],
  ['llama', { num_key_value_heads: 2 }, [ATTENTION, OUTPUT].map((name) => `model.layers.0.${name}`)],
])('adapters of %s', (model_type, fields, names) => {
  const down = (method: keyof typeof METHODS) =>
    started(method, classifier({ model_type, ...SHAPE, ...fields }), { bottleneck: 4 })
      .tuner.layout.segments.map(({ name }) => name)
      .filter((name) => name.endsWith('down.0.weight'));

  it('have the names of AdapterHub', () => {
    expect(down('houlsby')).toEqual(names);
    expect(down('pfeiffer')).toEqual(names.slice(1));
  });
});

it('BART has adapters in encoder and decoder, and none after cross-attention', () => {
  const bart = {
    model_type: 'bart',
    vocab_size: 11,
    d_model: 8,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_attention_heads: 2,
    decoder_attention_heads: 2,
  };
  const { tuner } = started('houlsby', words(bart, 'SEQ_2_SEQ_LM'));
  expect(tuner.sites.map(({ path }) => path).sort()).toEqual([
    'model.decoder.layers.0.fc2',
    'model.decoder.layers.0.self_attn',
    'model.encoder.layers.0.fc2',
    'model.encoder.layers.0.self_attn',
  ]);
});

describe('trained beside adapters is', () => {
  const others = (model: ReturnType<typeof classifier>) =>
    started('pfeiffer', model)
      .tuner.layout.segments.map(({ name }) => name)
      .filter((name) => !name.includes('.adapters.'));

  it('the classifier', () => {
    const roberta = classifier({ model_type: 'roberta', ...SHAPE });
    const names = ['dense.weight', 'dense.bias', 'out_proj.weight', 'out_proj.bias'];
    expect(others(roberta)).toEqual(names.map((name) => `classifier.${name}`));
  });

  it('a pooler that the checkpoint lacks, as it would be random', () => {
    const bert = classifier({ model_type: 'bert', ...SHAPE });
    const head = { ...bert.head, modules: [...bert.head.modules, 'bert.pooler'] };
    expect(others({ ...bert, head })).toEqual([
      ...['bert.pooler.dense.weight', 'bert.pooler.dense.bias', 'classifier.weight', 'classifier.bias'],
    ]);
  });

  it('a head over words, except what scores them', () => {
    const bert = { model_type: 'bert', ...SHAPE };
    const transform = 'cls.predictions.transform';
    const names = ['dense.weight', 'dense.bias', 'LayerNorm.weight', 'LayerNorm.bias'];
    for (const tie_word_embeddings of [true, false])
      expect(others(words({ ...bert, tie_word_embeddings }, 'MASKED_LM'))).toEqual(
        names.map((name) => `${transform}.${name}`),
      );
    expect(others(words({ model_type: 'llama', ...SHAPE, num_key_value_heads: 2 }, 'CAUSAL_LM'))).toEqual([]);
  });
});

describe('at the start', () => {
  const { tuner } = started('houlsby', classifier({ model_type: 'bert', ...SHAPE, hidden_size: 64 }), {
    bottleneck: 32,
  });
  const read = (_: string, shape: readonly number[]) =>
    new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(5);
  const values = tuner.initialValues(1, read);
  const own = (part: string) =>
    tuner.layout.segments
      .filter(({ name }) => name.endsWith(part))
      .map(({ name }) => [...tuner.layout.read(values, name)]);

  it('projections are normal with a deviation of 0.02, biases zero, the rest as in the model', () => {
    const weights = [...own('down.0.weight'), ...own('up.weight')];
    expect(weights.length).toBe(4);
    for (const drawn of weights) {
      const mean = drawn.reduce((a, b) => a + b) / drawn.length;
      const deviation = Math.sqrt(drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length);
      // 2048 draws. The bounds are three standard errors of the mean and of the deviation.
      expect(Math.abs(mean)).toBeLessThan((3 * 0.02) / Math.sqrt(drawn.length));
      expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(3 / Math.sqrt(2 * drawn.length));
    }
    for (const bias of [...own('down.0.bias'), ...own('up.bias')])
      expect(new Set(bias)).toEqual(new Set([0]));
    expect(own('classifier.bias')).toEqual([[5, 5]]);
  });

  it('every adapter has different values, and so has another seed', () => {
    const drawn = own('down.0.weight').map(([first]) => first);
    expect(new Set(drawn).size).toBe(2);
    expect([...tuner.initialValues(2, read).subarray(0, 4)]).not.toEqual([...values.subarray(0, 4)]);
    expect(tuner.initialValues(1, read)).toEqual(values);
  });
});

it.each([
  [{ bottleneck: 0 }],
  [{ bottleneck: 2.5 }],
  [{ non_linearity: 'swich' }],
  [{ reduction_factor: 16 }],
])('rejects %j', (settings) => {
  for (const { config } of Object.values(METHODS)) expect(config.safeParse(settings).success).toBe(false);
});

it('has defaults', () => {
  expect(houlsby.config.parse({})).toEqual({ bottleneck: 16, non_linearity: 'swish' });
  expect(pfeiffer.config.parse({})).toEqual({ bottleneck: 32, non_linearity: 'relu' });
});

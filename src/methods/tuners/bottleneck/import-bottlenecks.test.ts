import { describe, expect, it } from 'vitest';
import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { modelFamily } from '../../../models/registry.ts';
import { classLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { bottleneckKind, houlsby } from './bottleneck-method.ts';

const SHAPE = {
  vocab_size: 11,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
};

function modelOf(model_type: string) {
  const json = { model_type, ...SHAPE, dim: 8, n_layers: 2, n_heads: 2, hidden_dim: 12 };
  const definition = modelFamily(json, 'test');
  return sequenceModel(definition, { ...definition.parseConfig(json, 'test'), numLabels: 3 }, classLoss);
}

const model = modelOf('bert');
const { tuner, store } = houlsby.start(model, houlsby.config.parse({ bottleneck: 4 }), 1);
const values = Float32Array.from({ length: tuner.layout.length }, (_, i) => i);
const stored = store!(values, 'owner/name', ['x', 'y', 'z']);

/** The same adapter with renamed tensors, or without some of them. */
function renamed(
  name: (key: string) => string | undefined,
  changes: Partial<StoredAdapter> = {},
): StoredAdapter {
  const tensors: AdapterTensors = new Map();
  for (const [key, tensor] of stored.tensors) {
    const other = name(key);
    if (other !== undefined) tensors.set(other, tensor);
  }
  return { ...stored, ...changes, tensors };
}

const imported = (adapter: StoredAdapter, to = model) => bottleneckKind.import(to, adapter, 'test');

describe('an adapter of a run', () => {
  it('names its model, its base and its classes', () => {
    expect(stored).toMatchObject({
      baseModel: 'owner/name',
      config: {
        model_class: 'BertForSequenceClassification',
        model_name: 'owner/name',
        model_type: 'bert',
        hidden_size: 8,
      },
      head: { label2id: { x: 0, y: 1, z: 2 }, num_labels: 3, model_class: 'BertForSequenceClassification' },
    });
    // For a task without names, transformers' default names.
    expect(store!(values, 'b').head).toMatchObject({ label2id: { LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 } });
  });
});

describe('an adapter from AdapterHub', () => {
  it('may have another name', () => {
    const config = { ...stored.config, name: 'sst-2' };
    const other = renamed((key) => key.replace('.default.', '.sst-2.'), { config });
    expect(imported(other).values).toEqual(values);
    expect(() => imported({ ...other, config: stored.config })).toThrow(
      'test: bert.encoder.layer.0.attention.output.adapters.sst-2.adapter_down.0.weight does not belong to a sublayer of the base model.',
    );
  });

  it('of a base model alone has no prefix', () => {
    const other = renamed((key) => (key.includes('.adapters.') ? key.replace('bert.', '') : key));
    expect(imported(other).values).toEqual(values);
  });

  it('may omit layers, and have adapters of several sizes', () => {
    const second = renamed((key) => (key.includes('layer.0.') ? undefined : key));
    expect(imported(second).tuner.sites.map(({ path }) => path)).toEqual([
      'bert.encoder.layer.1.attention.output',
      'bert.encoder.layer.1.output',
    ]);
    const tensors = new Map(stored.tensors);
    const [path, floats] = [
      'bert.encoder.layer.1.output.adapters.default',
      (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }),
    ];
    tensors.set(`${path}.adapter_down.0.weight`, floats(2, 8));
    tensors.set(`${path}.adapter_down.0.bias`, floats(2));
    tensors.set(`${path}.adapter_up.weight`, floats(8, 2));
    const mixed = { ...stored, tensors };
    expect(imported(mixed).tuner.sites.map(({ parameters }) => parameters)).toEqual([76, 76, 76, 42]);
    expect(bottleneckKind.facts(mixed, 'test').settings.bottleneck).toEqual([4, 2]);
  });

  it('of a language model uses the base model’s own words', () => {
    const json = { model_type: 'llama', ...SHAPE, num_key_value_heads: 2, tie_word_embeddings: true };
    const definition = modelFamily(json, 'test');
    const llama = tokenModel('CAUSAL_LM')(definition, definition.parseConfig(json, 'test'));
    const run = houlsby.start(llama, houlsby.config.parse({}), 1);
    const adapter = run.store!(new Float32Array(run.tuner.layout.length), 'b');
    expect(adapter.head).toBeUndefined();
    adapter.tensors.set('lm_head.weight', { shape: [11, 8], data: new Float32Array(88) });
    expect(imported(adapter, llama).tuner.layout.length).toBe(run.tuner.layout.length);
  });

  it.each<[string, StoredAdapter, string]>([
    [
      'lacks a tensor',
      renamed((key) => (key.endsWith('layer.1.output.adapters.default.adapter_up.bias') ? undefined : key)),
      'layer.1.output.adapters.default.adapter_up.bias is missing. The adapter belongs to another base model, or is damaged.',
    ],
    [
      'has a head of another class',
      renamed((key) => key.replace('classifier', 'qa_outputs')),
      'test: qa_outputs.weight is not a parameter of the base model.',
    ],
    [
      'is one of another model',
      renamed((key) => key.replace('layer.1.', 'layer.7.')),
      'layer.7.attention.output.adapters.default.adapter_down.0.weight does not belong to a sublayer',
    ],
  ])('that %s is rejected', (_, adapter, message) => {
    expect(() => imported(adapter)).toThrow(message);
  });

  it('of another width is rejected', () => {
    const tensors = new Map(stored.tensors);
    tensors.set('classifier.weight', { shape: [3, 9], data: new Float32Array(27) });
    expect(() => imported({ ...stored, tensors })).toThrow(
      'test: classifier.weight has shape [3,9] instead of [3,8].',
    );
  });
});

describe('an exchangeable head of AdapterHub', () => {
  /** A stored head of one or two layers, as `add_classification_head` makes them. */
  function exchanged(layers: { [number: string]: string }, config: object): StoredAdapter {
    const places = Object.entries(layers);
    return renamed(
      (key) => {
        if (key.includes('.adapters.')) return key;
        const [number] = places.find(([, module]) => key.startsWith(`${module}.`)) ?? [];
        return number && `heads.sort.${number}.${key.split('.').at(-1)}`;
      },
      { head: { model_class: 'BertAdapterModel', config: { head_type: 'classification', ...config } } },
    );
  }

  it('over the pooler is the classifier', () => {
    const adapter = exchanged(
      { 1: 'classifier' },
      { layers: 1, activation_function: 'tanh', use_pooler: true },
    );
    expect(imported(adapter).values).toEqual(values);
  });

  it('of two layers is the pooler of BERT and the classifier', () => {
    const adapter = exchanged(
      { 4: 'classifier' },
      { layers: 2, activation_function: 'tanh', use_pooler: false },
    );
    const square = { shape: [8, 8], data: new Float32Array(64).fill(2) };
    adapter.tensors.set('heads.sort.1.weight', square);
    adapter.tensors.set('heads.sort.1.bias', { shape: [8], data: new Float32Array(8).fill(3) });
    const { tuner, values } = imported(adapter);
    expect([...tuner.layout.read(values, 'bert.pooler.dense.weight')]).toEqual([...square.data]);
    expect(tuner.layout.read(values, 'bert.pooler.dense.bias')[0]).toBe(3);
    expect(tuner.layout.get('classifier.weight').shape).toEqual([3, 8]);
  });

  it('that computes something else is rejected', () => {
    const adapter = exchanged(
      { 1: 'classifier' },
      { layers: 1, activation_function: 'tanh', use_pooler: false },
    );
    expect(() => imported(adapter)).toThrow(
      'test: head_config.json describes a head that BertForSequenceClassification does not have: 1 layers, activation_function "tanh", use_pooler false. In Python, use adapters.init',
    );
  });
});

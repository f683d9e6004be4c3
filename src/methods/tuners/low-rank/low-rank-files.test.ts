import { describe, expect, it } from 'vitest';
import { formatAdapterConfig } from '../../../input/formats/adapters/encode-adapter.ts';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { bert } from '../../../models/families/bert/definition.ts';
import { classLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import type { AdaLoraConfig } from '../composed/pruned-triplets.ts';
import { loraConfigSchema } from '../lora/config.ts';
import type { ContinuesAdapters } from '../method-definition.ts';
import { findKind, METHODS } from '../registry.ts';
import { withoutZeroIncrements } from './low-rank-files.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { asStored, type PeftAdapterConfigInput, parseAdapterConfig } from './peft-config.ts';

const modelConfig = bert.parseConfig(
  {
    model_type: 'bert',
    vocab_size: 8,
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 6,
    max_position_embeddings: 8,
  },
  'test',
);
const model = sequenceModel(bert, modelConfig, classLoss);
const QUERY = 'bert.encoder.layer.0.attention.self.query';

function adapter(config: PeftAdapterConfigInput, shapes: Record<string, number[]>): StoredAdapter {
  const tensors = Object.entries(shapes).map(([name, shape], k) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => k + i / 8);
    return [`base_model.model.${name}`, { shape, data }] as const;
  });
  return asStored({ config: parseAdapterConfig(config, 'test'), tensors: new Map(tensors) });
}

function imported(stored: StoredAdapter) {
  const { tuner, values } = findKind(stored, 'x').import(model, stored, 'x');
  return { tuner: tuner as LowRankTuner, values };
}

const lora = (shapes: Record<string, number[]>, config: object = {}) =>
  adapter({ peft_type: 'LORA', r: 2, ...config }, shapes);
const KEPT: Record<string, boolean[]> = { [`${QUERY}.lora_E`]: [true, false, true] };
const adalora = (shapes: Record<string, number[]>, rank_pattern = KEPT) =>
  adapter({ peft_type: 'ADALORA', init_r: 3, rank_pattern }, shapes);
const PAIR = { [`${QUERY}.lora_A.weight`]: [2, 4], [`${QUERY}.lora_B.weight`]: [4, 2] };
const TRIPLET = { [`${QUERY}.lora_A`]: [2, 4], [`${QUERY}.lora_E`]: [2, 1], [`${QUERY}.lora_B`]: [4, 2] };

describe('an imported adapter', () => {
  it('has the modules, ranks, values and scale of its tensors', () => {
    const head = { 'classifier.weight': [2, 4], 'classifier.bias': [2] };
    const { tuner, values } = imported(adalora({ ...TRIPLET, ...head }));
    expect(tuner.modules).toMatchObject([{ path: QUERY, rank: 2, scale: 8 / (3 + 1e-5) }]);
    expect([...tuner.layout.read(values, `${QUERY}.lora_E`)]).toEqual([1, 1.125]);
    expect([...tuner.layout.read(values, 'classifier.bias')]).toEqual([4, 4.125]);
  });

  it('has the scales with which it was trained, although files sort the keys of its patterns', () => {
    const settings = { target_modules: ['query', 'key'], alpha_pattern: { 'self.query': 3, query: 7 } };
    const run = METHODS.lora.start(model, loraConfigSchema.parse(settings), 10);
    const { config, tensors } = run.store!(new Float32Array(run.tuner.layout.length), 'base');
    const file = JSON.parse(formatAdapterConfig(config));
    const { tuner } = imported({ config: file, tensors, baseModel: 'base' });
    expect(tuner.modules).toMatchObject([
      { path: QUERY, scale: 3 / 8 },
      { path: QUERY.replace('query', 'key'), scale: 1 },
    ]);
  });

  it('is the same with fan_in_fan_out, which PEFT sets to false for linear layers', () => {
    const plain = imported(lora(PAIR));
    const turned = imported(lora(PAIR, { fan_in_fan_out: true }));
    expect(turned.values).toEqual(plain.values);
    expect(turned.tuner.modules).toEqual(plain.tuner.modules);
  });

  it('uses the settings for further training', () => {
    const given = { orth_reg_weight: 0.25, lora_dropout: 0.5 };
    const { section, start } = METHODS.adalora.continues as ContinuesAdapters<AdaLoraConfig>;
    const { run } = start(model, section(given, adalora(TRIPLET), 'x'), adalora(TRIPLET), 'x');
    expect(run.tuner.regularizer?.weight).toBe(0.25);
    expect((run.tuner as LowRankTuner).dropout).toBe(0.5);
  });

  it('needs the base weights that PEFT wrote beside it, except for their rounding', () => {
    const stored = lora({ ...PAIR, [`${QUERY}.base_layer.weight`]: [4, 4] });
    const written = [...stored.tensors.values()].at(-1)!.data;
    const on = (factor: number) => {
      const weights = { ...model, readRange: () => written.map((value) => value * factor) };
      return () => findKind(stored, 'x').import(weights, stored, 'x');
    };
    expect(on(1 + 2 ** -9)).not.toThrow();
    expect(on(1.01)).toThrow(`x: ${QUERY}.weight has other values in the adapter than in the base model`);
  });

  it('has embeddings once that PEFT wrote three times', () => {
    const words = 'bert.embeddings.word_embeddings';
    const copies = [words, `${words}.modules_to_save`, `${words}.original_module`].map(
      (path) => [`${path}.weight`, [8, 4]] as const,
    );
    const { tuner } = imported(lora({ ...PAIR, ...Object.fromEntries(copies) }));
    expect(tuner.layout.segments.map(({ name }) => name)).toEqual([
      ...[`${QUERY}.lora_A`, `${QUERY}.lora_B`, `${words}.weight`],
    ]);
  });

  it('may have a layer that is selected, by number or by its whole path', () => {
    for (const target_modules of [['query'], [QUERY]])
      for (const layers_to_transform of target_modules[0] === QUERY ? [1] : [0, [0, 1]])
        expect(() => imported(lora(PAIR, { target_modules, layers_to_transform }))).not.toThrow();
  });

  it('may have only modules that are saved in full', () => {
    const { tuner } = imported(lora({ 'classifier.weight': [2, 4], 'classifier.bias': [2] }));
    expect(tuner.layout.segments.map(({ name }) => name)).toEqual(['classifier.weight', 'classifier.bias']);
    expect(() => imported(lora({}))).toThrow('x has no tensor named lora_A');
  });

  it('may have the biases that PEFT repeats', () => {
    const repeated = { 'classifier.original_module.bias': [2] };
    expect(() => imported(lora({ ...PAIR, ...repeated }, { bias: 'all' }))).not.toThrow();
    expect(() => imported(lora({ ...PAIR, ...repeated }))).toThrow(
      'has the tensor base_model.model.classifier.original_module.bias, but its config has bias: none',
    );
  });

  it.each<[string, StoredAdapter, string]>([
    [
      'B without A',
      lora({ [`${QUERY}.lora_B.weight`]: [4, 2] }),
      `x: ${QUERY}.lora_B has no ${QUERY}.lora_A beside it`,
    ],
    ['A without B', lora({ [`${QUERY}.lora_A.weight`]: [2, 4] }), `x: ${QUERY}.lora_B is missing`],
    [
      'E without A',
      adalora({ [`${QUERY}.lora_E`]: [2, 1] }),
      `x: ${QUERY}.lora_E has no ${QUERY}.lora_A beside it`,
    ],
    [
      'a triplet without E',
      adalora({ ...TRIPLET, [`${QUERY}.lora_E`]: [2] }),
      'has shape [2] instead of [2,1]',
    ],
    [
      'E in a LORA adapter',
      lora({ ...PAIR, [`${QUERY}.lora_E`]: [2, 1] }),
      'does not belong in an adapter of type LORA',
    ],
    [
      'another width',
      lora({ ...PAIR, [`${QUERY}.lora_A.weight`]: [2, 5] }),
      'has shape [2,5] instead of [2,4]',
    ],
    [
      'an enormous rank',
      lora({ ...PAIR, [`${QUERY}.lora_A.weight`]: [2 ** 50, 0] }),
      'has rank 1125899906842624, but rank 2',
    ],
    ['another rank', lora(PAIR, { r: 3 }), `x: ${QUERY} has rank 2, but rank 3 in the adapter's config`],
    ['another rank in a pattern', lora(PAIR, { rank_pattern: { query: 4 } }), 'has rank 2, but rank 4'],
    ['the rank before pruning', adalora(TRIPLET, {}), 'has rank 2, but rank 3'],
    [
      'a layer that is not selected',
      lora(PAIR, { target_modules: ['query'], layers_to_transform: [1] }),
      `x: ${QUERY} is in a layer that layers_to_transform does not select`,
    ],
    ['another head', lora({ ...PAIR, 'classifier.weight': [3, 4] }), 'has shape [3,4] instead of [2,4]'],
    ['another module', lora({ ...PAIR, 'bert.pool.bias': [4] }), 'is not a module of the base model'],
    [
      'a name of another program',
      { ...lora({}), tensors: new Map([['q.lora_A', { shape: [1], data: Float32Array.of(1) }]]) },
      'x has the tensor q.lora_A; names of adapter tensors start with base_model.model.',
    ],
    [
      'an embedding',
      lora({ 'bert.embeddings.word_embeddings.lora_embedding_A': [2, 8] }),
      'x: bert.embeddings.word_embeddings is not a linear layer',
    ],
  ])('with %s is rejected', (_, stored, message) => expect(() => imported(stored)).toThrow(message));
});

describe('the adapter of a frozen model', () => {
  const head = { 'classifier.weight': [2, 4] };
  const zeroed = (stored: StoredAdapter, factor: string): StoredAdapter => {
    for (const [key, { data }] of stored.tensors) if (key.includes(factor)) data.fill(0);
    return stored;
  };

  it.each([
    ['LoRA', () => zeroed(lora({ ...PAIR, ...head }, { modules_to_save: ['classifier'] }), 'lora_B')],
    ['AdaLoRA', () => zeroed(adalora({ ...TRIPLET, ...head }), 'lora_E')],
  ])('has only its saved modules: %s', (_, frozen) => {
    const { config, tensors } = withoutZeroIncrements(frozen());
    expect(config).toMatchObject({ peft_type: 'LORA', target_modules: 'dummy-target-modules' });
    expect(config.modules_to_save).toEqual(frozen().config.modules_to_save);
    expect([...tensors.keys()]).toEqual(['base_model.model.classifier.weight']);
    const { tuner } = imported({ config, tensors, baseModel: null });
    expect(tuner.modules).toEqual([]);
  });

  it('may be empty', () => {
    const empty = withoutZeroIncrements(zeroed(lora(PAIR), 'lora_B'));
    expect(empty.tensors.size).toBe(0);
    expect(imported(empty).tuner.layout.length).toBe(0);
  });

  it('keeps increments, biases and other kinds of files', () => {
    for (const stored of [lora(PAIR), zeroed(lora(PAIR, { bias: 'lora_only' }), 'lora_B')])
      expect(withoutZeroIncrements(stored)).toBe(stored);
  });
});

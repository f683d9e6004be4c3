import { describe, expect, it } from 'vitest';
import type { TunableModel } from './tuner.ts';
import { joinTiedWords, savedParameters } from './whole-parameters.ts';

describe('parameters trained beside the adapters', () => {
  const names = [
    'bert.layer.0.query.weight',
    'bert.layer.0.query.bias',
    'bert.layer.0.key.bias',
    'bert.layer.0.norm.bias',
    'bert.layer.0.post_norm.bias',
    'bert.pooler.dense.weight',
    'bert.pooler.dense.bias',
    'classifier.weight',
    'classifier.bias',
  ];
  const model = {
    parameters: new Map(names.map((name) => [name, [1]])),
    head: { modules: ['classifier'] },
    definition: {},
  } as unknown as TunableModel;
  const head = ['classifier.weight', 'classifier.bias'];

  it.each([
    [{ bias: 'none' }, head],
    [{ bias: 'lora_only' }, ['bert.layer.0.query.bias', ...head]],
    [
      { bias: 'all' },
      [
        'bert.layer.0.query.bias',
        'bert.layer.0.key.bias',
        'bert.layer.0.norm.bias',
        'bert.layer.0.post_norm.bias',
        'bert.pooler.dense.bias',
        ...head,
      ],
    ],
    [
      { bias: 'none', modules_to_save: ['pooler'] },
      ['bert.pooler.dense.weight', 'bert.pooler.dense.bias', ...head],
    ],
    // PEFT compares the ends of paths, not whole names.
    [
      { bias: 'none', modules_to_save: ['er.dense', 'norm'] },
      [
        'bert.layer.0.norm.bias',
        'bert.layer.0.post_norm.bias',
        'bert.pooler.dense.weight',
        'bert.pooler.dense.bias',
        ...head,
      ],
    ],
  ] as const)('with %j', (selection, expected) => {
    const saved = savedParameters(model, selection, [{ path: 'bert.layer.0.query' }]);
    expect(saved.map(({ name }) => name)).toEqual(expected);
  });

  it('do not include word embeddings that are also the output weights', () => {
    const words = 'bert.words.weight';
    const tied = {
      parameters: new Map([[words, [3, 2]]]),
      head: { modules: [], mayLack: ['lm_head'] },
      definition: { tiedNames: { [words]: ['lm_head.weight'] } },
      wordTables: new Map([[words, 1]]),
    } as unknown as TunableModel;
    const saved = (model: TunableModel) =>
      savedParameters(model, { bias: 'none', modules_to_save: ['words'] }, []);
    expect(() => saved(tied)).toThrow(
      'modules_to_save has "words" with the word embeddings, which are also the output weights (lm_head.weight)',
    );
    const untied = new Map([...tied.parameters, ['lm_head.weight', [3, 2]] as const]);
    expect(saved({ ...tied, parameters: untied })).toEqual([{ name: words, shape: [3, 2] }]);
  });

  it('suggests the nearest module for an unknown one', () => {
    expect(() => savedParameters(model, { bias: 'none', modules_to_save: ['poolr'] }, [])).toThrow(
      'modules_to_save has "poolr", which is not a module of the model',
    );
  });
});

const [WORDS, OUTPUT] = ['model.embed_tokens.weight', 'lm_head.weight'];
const model = {
  parameters: new Map([[WORDS, [2, 1]]]),
  head: { modules: [], mayLack: ['lm_head'] },
  definition: { tiedNames: { [WORDS]: [OUTPUT] } },
  wordTables: new Map([[WORDS, 1]]),
} as unknown as TunableModel;
const tensor = { shape: [2, 1], data: Float32Array.of(1, 2) };

it('an adapter has tied word embeddings once, if PEFT wrote them under both names', () => {
  for (const names of [[WORDS, OUTPUT], [OUTPUT], [WORDS]]) {
    const saved = new Map(names.map((name) => [name, tensor] as const));
    joinTiedWords(model, saved, ['norm'], 'x');
    expect([...saved]).toEqual([[WORDS, tensor]]);
  }
});

it.each([['embed_tokens'], ['lm_head']])('copies that PEFT trained of %s are rejected', (module) => {
  const saved = new Map([[module === 'lm_head' ? OUTPUT : WORDS, tensor]]);
  expect(() => joinTiedWords(model, saved, [module], 'x')).toThrow(
    'was trained as a copy, but model.embed_tokens.weight and lm_head.weight are one parameter of the base model',
  );
});

import { describe, expect, it } from 'vitest';
import { savedParameters } from './saved-parameters.ts';
import type { TunableModel } from './tuner.ts';

describe('parameters trained beside the adapters', () => {
  const names = [
    'bert.layer.0.query.weight',
    'bert.layer.0.query.bias',
    'bert.layer.0.key.bias',
    'bert.layer.0.norm.bias',
    'bert.pooler.dense.weight',
    'bert.pooler.dense.bias',
    'classifier.weight',
    'classifier.bias',
  ];
  const model = {
    parameters: new Map(names.map((name) => [name, [1]])),
    head: { modules: ['classifier'] },
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
        'bert.pooler.dense.bias',
        ...head,
      ],
    ],
    [
      { bias: 'none', modules_to_save: ['pooler'] },
      ['bert.pooler.dense.weight', 'bert.pooler.dense.bias', ...head],
    ],
  ] as const)('with %j', (selection, expected) => {
    const saved = savedParameters(model, selection, [{ path: 'bert.layer.0.query' }]);
    expect(saved.map(({ name }) => name)).toEqual(expected);
  });

  it('suggests the nearest module for an unknown one', () => {
    expect(() => savedParameters(model, { bias: 'none', modules_to_save: ['poolr'] }, [])).toThrow(
      'modules_to_save has "poolr", which is not a module of the model',
    );
  });
});

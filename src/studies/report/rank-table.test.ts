import { expect, it } from 'vitest';
import { rankTable } from './rank-table.ts';

it('arranges BERT by layer and by the order of computation', () => {
  const layer = 'bert.encoder.layer';
  const table = rankTable({
    [`${layer}.10.output.dense`]: 3,
    [`${layer}.2.output.dense`]: 2,
    [`${layer}.2.attention.output.dense`]: 0,
    [`${layer}.2.intermediate.dense`]: 5,
    [`${layer}.2.attention.self.value`]: 1,
    [`${layer}.2.attention.self.query`]: 4,
    'bert.pooler.dense': 12,
  });
  expect(table).toEqual({
    columns: [
      'query',
      'value',
      'attention.output.dense',
      'intermediate.dense',
      'output.dense',
      'pooler.dense',
    ],
    rows: [
      { layer: '', ranks: [undefined, undefined, undefined, undefined, undefined, 12] },
      { layer: '2', ranks: [4, 1, 0, 5, 2, undefined] },
      { layer: '10', ranks: [undefined, undefined, undefined, undefined, 3, undefined] },
    ],
    total: 27,
    modules: 7,
    average: 27 / 7,
    largest: 12,
  });
});

it('names the stacks if there are several', () => {
  const table = rankTable({
    'model.encoder.layers.0.self_attn.q_proj': 1,
    'model.decoder.layers.0.self_attn.q_proj': 2,
    'model.decoder.layers.0.encoder_attn.q_proj': 3,
    'model.decoder.layers.0.fc1': 4,
  });
  expect(table.columns).toEqual(['encoder_attn.q_proj', 'self_attn.q_proj', 'fc1']);
  expect(table.rows).toEqual([
    { layer: 'encoder 0', ranks: [undefined, 1, undefined] },
    { layer: 'decoder 0', ranks: [3, 2, 4] },
  ]);
});

it('accepts a model without adapters', () => {
  expect(rankTable({})).toEqual({ columns: [], rows: [], total: 0, modules: 0, average: 0, largest: 0 });
});

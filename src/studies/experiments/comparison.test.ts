import { describe, expect, it } from 'vitest';
import type { KeyPath } from '../../support/user-error.ts';
import { comparison } from './comparison.ts';

const GIVEN = {
  data: { train: 'train.tsv', validation: 'dev.tsv', text: 'text', label: 'label' },
  rows: {
    LoRA: { method: 'lora', 'lora.r': 4 },
    full: { method: 'full', training: { learning_rate: 1e-5 } },
  },
  output: 'out',
};
const where = (path: KeyPath) => `c.yaml (${path.join('.')})`;
const of = (more: object = {}) => comparison({ ...GIVEN, ...more }, where);

describe('a comparison', () => {
  it('is each row on each task; rows override tasks, which override common keys', () => {
    const { cells, seeds, average } = of({
      training: { learning_rate: 1e-3, weight_decay: 0.1 },
      tasks: { one: { data: { max_length: 8 } }, two: { training: { learning_rate: 2e-3 } } },
    });
    expect(cells.map(({ task, row }) => `${task} ${row}`)).toEqual([
      'one LoRA',
      'one full',
      'two LoRA',
      'two full',
    ]);
    expect(cells[0]!.config).toEqual({
      data: { ...GIVEN.data, max_length: 8 },
      training: { learning_rate: 1e-3, weight_decay: 0.1 },
      method: 'lora',
      lora: { r: 4 },
    });
    expect(cells[3]!.config.training).toEqual({ learning_rate: 1e-5, weight_decay: 0.1 });
    expect(cells[3]!.settings).toEqual({ method: 'full', 'training.learning_rate': 1e-5 });
    expect({ seeds, average }).toEqual({ seeds: [0, 1, 2, 3, 4], average: true });
  });

  it('has a grid for all rows, or for a single row', () => {
    const rows = { ...GIVEN.rows, full: { method: 'full', grid: { training: { learning_rate: [1, 2] } } } };
    const { cells } = of({
      rows,
      grid: { 'training.learning_rate': [3, 4], 'lora.r': [1, 2] },
      halving: true,
    });
    expect(cells[1]!.grid).toEqual([{ 'training.learning_rate': 1 }, { 'training.learning_rate': 2 }]);
    expect(cells[0]!.grid).toHaveLength(4);
    expect(cells[0]!.grid[1]).toEqual({ 'training.learning_rate': 3, 'lora.r': 2 });
  });

  it('reports all errors at once, each at its place', () => {
    const message = (more: object) => {
      try {
        of(more);
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    };
    const found = message({
      rows: { ...GIVEN.rows, LoRA: { method: 'lora', lora: { rank: 4 } } },
      training: { weight_decay: 'much' },
      compared_with: 'Lora',
    });
    expect(found).toHaveLength(3);
    expect(found[0]).toMatch(
      'c.yaml (training.weight_decay): `training.weight_decay` must be a number, got "much".',
    );
    expect(found[1]).toMatch(
      'c.yaml (rows.LoRA.lora.rank): `lora.rank` is not a known key. Did you mean rank_pattern?',
    );
    expect(found[2]).toMatch(
      'c.yaml (compared_with): `compared_with` must be the name of a row or a method, got Lora. Did you mean LoRA?',
    );
    expect(message({ rows: { 'a b': {}, 'a-b': {} } })).toEqual([
      'c.yaml (rows): two rows are named "run/a-b"',
    ]);
    expect(message({ training: { eval_strategy: 'no' } })[0]).toContain(
      '`training.eval_strategy` cannot be no, because runs are compared by their evaluations.',
    );
    expect(message({ rows: {} })[0]).toContain('rows');
  });
});

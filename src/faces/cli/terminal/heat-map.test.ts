import { expect, it } from 'vitest';
import { rankTable } from '../../../studies/report/rank-table.ts';
import { heatMap } from './heat-map.ts';

const table = rankTable({
  'bert.encoder.layer.0.attention.self.query': 12,
  'bert.encoder.layer.0.output.dense': 0,
  'bert.encoder.layer.11.output.dense': 7,
});

it('is a plain table without color', () => {
  expect(`\n${heatMap(table, false)}\n`).toMatchInlineSnapshot(`
    "
    layer  query  output.dense  mean
    0         12             0   6.0
    11         ·             7   7.0
    mean    12.0           3.5   6.3
    "
  `);
});

it('colors ranks from the darkest to the lightest', () => {
  expect(
    heatMap(table, true)
      .split('\n')
      .slice(1, 3)
      .map((line) => JSON.stringify(line)),
  ).toMatchInlineSnapshot(`
    [
      ""0      \\u001b[48;5;227m\\u001b[38;5;16m   12\\u001b[0m  \\u001b[48;5;17m\\u001b[38;5;255m           0\\u001b[0m   6.0"",
      ""11         ·  \\u001b[48;5;71m\\u001b[38;5;16m           7\\u001b[0m   7.0"",
    ]
  `);
});

it('escapes control characters in names of modules', () => {
  const hostile = rankTable({ 'layer.0.que\u001b[31mry': 1, 'layer.1.que\u001b[31mry': 2 });
  expect(heatMap(hostile, false)).toContain('  que\\u{1b}[31mry  mean\n');
  expect(heatMap(hostile, false)).not.toContain('\u001b');
});

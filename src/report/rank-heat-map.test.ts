import { expect, it } from 'vitest';
import { rankHeatMap } from './rank-heat-map.ts';
import { rankTable } from './rank-table.ts';

const table = rankTable({
  'm.layer.0.query': 4,
  'm.layer.0.key': 0,
  'm.layer.1.query': 2,
});

it('draws a cell with a tooltip for each adapted matrix, higher layers on top', () => {
  const svg = rankHeatMap(table, 'Ranks <of> "a" & b');
  const cells = [...svg.matchAll(/<g><title>([^<]*)<\/title><rect x="(\d+)" y="(\d+)"/g)];
  expect(cells.map(([, tooltip]) => tooltip)).toEqual([
    'layer 0, query: rank 4',
    'layer 0, key: rank 0',
    'layer 1, query: rank 2',
  ]);
  const [, , , y0] = cells[0];
  const [, , , y1] = cells[2];
  expect(Number(y1)).toBeLessThan(Number(y0));
  expect(svg).toContain('aria-label="Ranks &lt;of> &quot;a&quot; &amp; b"');
});

it('gives the largest rank the darkest cell and none the lightest', () => {
  const fills = [...rankHeatMap(table, 't').matchAll(/fill="(rgb[^"]*)"/g)].map(([, fill]) => fill);
  expect(fills).toEqual(['rgb(8,64,129)', 'rgb(247,251,255)', 'rgb(128,158,192)']);
});

import { expect, it } from 'vitest';
import { standalone } from '../../../scripts/standalone-figure.ts';
import { heatMapChart } from './chart/heat-map.ts';
import { rankTable } from './rank-table.ts';

const ranks = rankTable({ 'm.layer.0.query': 4, 'm.layer.0.key': 0, 'm.layer.1.query': 2 });

const draw = (title: string) =>
  standalone(heatMapChart({ id: 'ranks', title, description: 'd', table: ranks, largest: ranks.largest }));

/** Tooltip, shade and index of each cell. */
function cellsOf(svg: string) {
  const pattern = /<g class="cell h(\d+)"[^>]*><title>([^<]*)<\/title><rect x="(\d+)" y="(\d+)"/g;
  return [...svg.matchAll(pattern)].map(([, shade, tooltip, x, y]) => ({ shade, tooltip, x: +x!, y: +y! }));
}

it('has a cell for each adapted matrix: layers to the right, matrices upwards', () => {
  const cells = cellsOf(draw('Ranks <of> "a" & b'));
  const [query0, query1, key0] = cells;
  expect(cells.map(({ tooltip }) => tooltip)).toEqual([
    'layer 0, query: rank 4',
    'layer 1, query: rank 2',
    'layer 0, key: rank 0',
  ]);
  expect(query1!.x).toBeGreaterThan(query0!.x);
  expect(query1!.y).toBe(query0!.y);
  expect(key0!.x).toBe(query0!.x);
  expect(key0!.y).toBeLessThan(query0!.y);
});

it('gives the largest rank the darkest shade and zero the lightest', () => {
  expect(cellsOf(draw('t')).map(({ shade }) => shade)).toEqual(['16', '8', '0']);
});

it('has an accessible name, escaped, and its own style', () => {
  const svg = draw('Ranks <of> "a" & b');
  expect(svg).toContain('>Ranks &lt;of&gt; &quot;a&quot; &amp; b</title>');
  expect(svg).toMatch(
    /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" .*role="img" aria-labelledby="ranks-title ranks-desc"/,
  );
  expect(svg).toContain('@media (prefers-color-scheme:dark)');
});

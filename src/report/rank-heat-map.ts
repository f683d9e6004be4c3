import type { RankTable } from './rank-table.ts';

const CELL = { width: 92, height: 38, gap: 3 };
const MARGIN = { left: 70, top: 64, right: 24, bottom: 46 };
/** Lightness falls evenly from no rank to the largest, so that the picture reads in grey too. */
const LIGHTEST = [247, 251, 255];
const DARKEST = [8, 64, 129];

/**
 * Final ranks by layer (rows, the highest on top as in the paper's figure 3) and matrix (columns) as a static SVG.
 * Every cell has a tooltip; the whole picture has a title for screen readers.
 */
export function rankHeatMap(table: RankTable, title: string): string {
  const { columns, rows, largest, average, total } = table;
  const width = MARGIN.left + columns.length * CELL.width + MARGIN.right;
  const height = MARGIN.top + rows.length * CELL.height + MARGIN.bottom;
  const x = (column: number) => MARGIN.left + column * CELL.width;
  const y = (row: number) => MARGIN.top + (rows.length - 1 - row) * CELL.height;
  const cells = rows.flatMap(({ layer, ranks }, row) =>
    ranks.map((rank, column) =>
      rank === undefined
        ? ''
        : cell(x(column), y(row), rank, largest, `layer ${layer}, ${columns[column]}: rank ${rank}`),
    ),
  );
  const middle = (at: number) => at + (CELL.width - CELL.gap) / 2;
  const layers = rows.map(({ layer }, row) =>
    text(MARGIN.left - 12, y(row) + CELL.height / 2 + 3, `layer ${layer}`, 'end', 13),
  );
  const below = MARGIN.top + rows.length * CELL.height;
  const names = columns.map((name, column) =>
    text(middle(x(column)), below + 16, shortened(name), 'middle', 12),
  );
  const summary = `${total} triplets in ${table.modules} matrices, ${average.toFixed(1)} on average`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(MARGIN.left, 26, title, 'start', 16, 600),
    text(MARGIN.left, 48, summary, 'start', 13),
    ...cells,
    ...layers,
    ...names,
    '</svg>',
    '',
  ].join('\n');
}

function cell(x: number, y: number, rank: number, largest: number, tooltip: string): string {
  const share = largest > 0 ? rank / largest : 0;
  const [width, height] = [CELL.width - CELL.gap, CELL.height - CELL.gap];
  const label = text(
    x + width / 2,
    y + height / 2 + 5,
    `${rank}`,
    'middle',
    14,
    400,
    share > 0.5 ? '#fff' : '#1b1f24',
  );
  return `<g><title>${escaped(tooltip)}</title><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${shade(share)}" stroke="#d0d7de" stroke-width="0.5"/>${label}</g>`;
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  size: number,
  weight = 400,
  fill = '#1b1f24',
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(content)}</text>`;
}

function shade(share: number): string {
  const mixed = LIGHTEST.map((light, i) => Math.round(light + share * (DARKEST[i] - light)));
  return `rgb(${mixed.join(',')})`;
}

/** `attention.output.dense` is too wide for a column. */
function shortened(name: string): string {
  return name.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

import type { RankTable } from '../../../studies/report/rank-table.ts';
import { largest, mean } from '../../../support/numbers.ts';
import { printable } from '../../../support/text.ts';

/** Indices in a terminal's 256 colors, from dark blue through green to yellow. Lightness rises evenly. */
const SCALE = [17, 18, 24, 30, 36, 71, 107, 143, 185, 227];
const MISSING = '·';

/**
 * Formats a rank table: one row per layer, one column per matrix, with means at the edges. In color, a
 * cell's background shows its rank relative to `most`.
 */
export function heatMap(table: RankTable, color: boolean, most = table.largest): string {
  // Layer and column names come from an adapter's file, so control characters are replaced.
  const rows = table.rows.map(({ layer, ranks }) => ({ layer: printable(layer), ranks }));
  const columns = table.columns.map(printable);
  const edge = Math.max('layer'.length, largest(rows.map(({ layer }) => layer.length)));
  const widths = [...columns, 'mean'].map((name) => Math.max(name.length, 4));
  const line = (first: string, cells: string[]) => [first.padEnd(edge), ...cells].join('  ').trimEnd();
  const right = (text: string, column: number) => text.padStart(widths[column]!);
  const block = (rank: number | undefined, column: number) => {
    const text = right(rank === undefined ? MISSING : `${rank}`, column);
    return color && rank !== undefined ? painted(text, rank / Math.max(1, most)) : text;
  };
  const last = columns.length;
  const columnMeans = columns.map((_, i) => meanText(rows.map(({ ranks }) => ranks[i])));
  return [
    line('layer', [...columns, 'mean'].map(right)),
    ...rows.map(({ layer, ranks }) => line(layer, [...ranks.map(block), right(meanText(ranks), last)])),
    line('mean', [...columnMeans, table.average.toFixed(1)].map(right)),
  ].join('\n');
}

function meanText(ranks: readonly (number | undefined)[]): string {
  return mean(ranks.filter((rank) => rank !== undefined)).toFixed(1);
}

function painted(text: string, share: number): string {
  const step = Math.min(SCALE.length - 1, Math.round(share * (SCALE.length - 1)));
  const ink = step < SCALE.length / 2 ? 255 : 16;
  return `\x1b[48;5;${SCALE[step]}m\x1b[38;5;${ink}m${text}\x1b[0m`;
}

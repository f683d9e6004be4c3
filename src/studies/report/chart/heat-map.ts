import { largest, mean } from '../../../support/numbers.ts';
import { type Markup, markup } from '../markup.ts';
import type { RankTable } from '../rank-table.ts';
import { rounded } from './axes.ts';
import { type Captioned, matrixName, picture, textWidth, WIDTH } from './picture.ts';

/** Number of shades in a heat map, from no rank to the largest rank. */
export const SHADES = 16;

export interface HeatMap extends Captioned {
  table: RankTable;
  /** The rank with the darkest shade. */
  largest: number;
}

const CELL = { least: 20, most: 46, height: 24, gap: 2 };
const EDGE = { top: 6, right: 36, bottom: 38 };
/** Space above the map for names, if a model has several stacks of layers. */
const STACK_HEIGHT = 16;

/**
 * Draws ranks by layer (left to right) and matrix (bottom to top, in the order of computation), as in the paper's
 * figure 3. Means are at the edges. The attribute `data-i` of a cell or mean is its index in {@link heatMapValues}, for
 * a script that shows another table.
 */
export function heatMapChart({ table, largest: most, ...frame }: HeatMap): Markup {
  const { columns, rows } = table;
  const names = columns.map(matrixName);
  const left = Math.ceil(Math.max(textWidth('mean'), largest(names.map(textWidth)))) + 8;
  const room = (WIDTH - left - EDGE.right) / rows.length;
  const cell = Math.max(CELL.least, Math.min(CELL.most, Math.floor(room)));
  const width = Math.max(WIDTH, left + rows.length * cell + EDGE.right);
  const stacks = groupStacks(rows.map(({ layer }) => layer));
  const top = EDGE.top + (stacks.length > 0 ? STACK_HEIGHT : 0);
  const below = top + columns.length * CELL.height;
  const height = below + EDGE.bottom;
  const values = heatMapValues(table);
  const x = (layer: number) => left + layer * cell;
  const edge = x(rows.length) + EDGE.right - 4;
  const y = (matrix: number) => top + (columns.length - 1 - matrix) * CELL.height;
  const middle = CELL.height / 2 + 2.5;
  const cells = columns.flatMap((column, matrix) =>
    rows.map(({ layer }, i) => {
      const index = matrix * rows.length + i;
      const value = values[index]!;
      if (value === null) return undefined;
      const place = layer === '' ? column : `layer ${layer}, ${column}`;
      return markup`<g class="cell h${chooseShade(value, most)}" data-i="${index}"><title>${`${place}: rank ${numberText(value)}`}</title><rect x="${x(i)}" y="${y(matrix)}" width="${cell - CELL.gap}" height="${CELL.height - CELL.gap}" rx="1.5"/><text text-anchor="middle" x="${rounded(x(i) + (cell - CELL.gap) / 2)}" y="${y(matrix) + middle}">${numberText(value)}</text></g>`;
    }),
  );
  const mean = (index: number, at: number, height: number, anchor: string) =>
    markup`<text class="mean" data-i="${index}" text-anchor="${anchor}" x="${rounded(at)}" y="${height}">${meanText(values[index]!)}</text>`;
  const means = columns.length * rows.length;
  return picture({ ...frame, width, height }, [
    stacks.map(({ name, first }) => markup`<text class="axis" x="${x(first)}" y="${top - 6}">${name}</text>`),
    cells,
    names.map(
      (name, matrix) =>
        markup`<text class="axis" text-anchor="end" x="${left - 7}" y="${y(matrix) + middle}">${name}</text>`,
    ),
    columns.map((_, matrix) => mean(means + matrix, edge, y(matrix) + middle, 'end')),
    markup`<text class="axis" text-anchor="end" x="${left - 7}" y="${below + 13}">layer</text><text class="axis" text-anchor="end" x="${left - 7}" y="${below + 30}">mean</text>`,
    rows.map(({ layer }, i) => {
      const centre = rounded(x(i) + (cell - CELL.gap) / 2);
      return markup`<text class="axis" text-anchor="middle" x="${centre}" y="${below + 13}">${layer.split(' ').at(-1)}</text>${mean(means + columns.length + i, centre, below + 30, 'middle')}`;
    }),
    mean(means + columns.length + rows.length, edge, below + 30, 'end'),
  ]);
}

/**
 * The values of a heat map in order: the cells, matrix by matrix; the means of the matrices, then of the layers; the
 * mean of all. A value is null if the layer has no such matrix.
 */
export function heatMapValues({ columns, rows, average }: RankTable): (number | null)[] {
  const cells = columns.map((_, matrix) => rows.map(({ ranks }) => ranks[matrix]));
  const byLayer = rows.map(({ ranks }) => computeMean(ranks));
  return [...cells.flat(), ...cells.map(computeMean), ...byLayer, average].map((value) =>
    value === undefined ? null : rounded(value),
  );
}

export function chooseShade(rank: number, largest: number): number {
  return largest > 0 ? Math.round((SHADES * Math.min(rank, largest)) / largest) : 0;
}

/** The first layer of each stack, if there are several. The names of layers are then like `encoder 0`. */
function groupStacks(layers: readonly string[]): { name: string; first: number }[] {
  const names = layers.map((layer) => layer.split(' ').slice(0, -1).join(' '));
  return names.flatMap((name, i) => (name !== '' && name !== names[i - 1] ? [{ name, first: i }] : []));
}

function computeMean(ranks: readonly (number | undefined)[]): number | undefined {
  const present = ranks.filter((rank) => rank !== undefined);
  return present.length === 0 ? undefined : mean(present);
}

/** Formats a value. Ranks are integers; their means over seeds have one decimal. */
function numberText(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toFixed(1);
}

function meanText(value: number | null): string {
  return value === null ? '' : value.toFixed(1);
}

import { mean } from '../../../support/numbers.ts';
import { type Markup, markup } from '../markup.ts';
import type { RankTable } from '../rank-table.ts';
import { type Mark, plot } from './plot.ts';
import { type Captioned, matrixName } from './svg-figure.ts';

/** Number of shades in a heat map, from no rank to the largest rank. */
export const SHADES = 16;

interface HeatMap extends Captioned {
  table: RankTable;
  /** The rank with the darkest shade. */
  largest: number;
}

const CELL = { least: 22, most: 46, height: 24, gap: 1 };

/**
 * Draws ranks by layer (left to right) and matrix (bottom to top, in the order of computation), as in the paper's
 * figure 3. Means are at the edges. The attribute `data-i` of a cell or mean is its index in {@link heatMapValues}, for
 * a script that shows another table.
 */
export function heatMapChart({ table, largest: most, ...frame }: HeatMap): Markup {
  const { columns, rows } = table;
  const values = heatMapValues(table);
  const layers = [...rows.map(({ layer }) => layer.split(' ').at(-1)!), ''];
  const matrices = ['mean', ...columns.map(matrixName)];
  const stacks = groupStacks(rows.map(({ layer }) => layer));
  const cells: Mark = {
    points: [],
    draw({ x, y, top }) {
      const names = stacks.map(
        ({ name, first }) => markup`<text class="axis" x="${x(first - 0.5)}" y="${top - 6}">${name}</text>`,
      );
      const drawn = values.map((value, index) => {
        const [i, matrix] = findPlace(index, rows.length, columns.length);
        if (value === null) return undefined;
        const text = (attributes: Markup, shown: string) =>
          markup`<text${attributes} text-anchor="middle" x="${x(i)}" y="${y(matrix + 1) + 3.5}">${shown}</text>`;
        if (i === rows.length || matrix < 0)
          return text(markup` class="mean" data-i="${index}"`, value.toFixed(1));
        const { layer } = rows[i]!;
        const place = layer === '' ? columns[matrix] : `layer ${layer}, ${columns[matrix]}`;
        const [left, upper] = [x(i - 0.5) + CELL.gap, y(matrix + 1.5) + CELL.gap];
        return markup`<g class="cell h${chooseShade(value, most)}" data-i="${index}"><title>${`${place}: rank ${numberText(value)}`}</title><rect x="${left}" y="${upper}" width="${x(i + 0.5) - CELL.gap - left}" height="${CELL.height - 2 * CELL.gap}" rx="1.5"/>${text(markup``, numberText(value))}</g>`;
      });
      return [names, drawn];
    },
  };
  return plot({
    ...frame,
    x: { name: 'layer', names: layers },
    y: { names: matrices },
    panels: [{ marks: [cells] }],
    height: matrices.length * CELL.height,
    width: (room) =>
      layers.length * Math.max(CELL.least, Math.min(CELL.most, Math.floor(room / layers.length))),
    ...(stacks.length > 0 && { above: { height: 12, content: undefined } }),
  });
}

/** The layer and the matrix of a value of {@link heatMapValues}. A mean has the place after the last layer, or -1. */
function findPlace(index: number, layers: number, matrices: number): [layer: number, matrix: number] {
  const cells = layers * matrices;
  if (index < cells) return [index % layers, Math.floor(index / layers)];
  if (index < cells + matrices) return [layers, index - cells];
  return [index - cells - matrices, -1];
}

/**
 * The values of a heat map in order: the cells, matrix by matrix; the means of the matrices, then of the layers; the
 * mean of all. A value is null if the layer has no such matrix.
 */
export function heatMapValues({ columns, rows, average }: RankTable): (number | null)[] {
  const cells = columns.map((_, matrix) => rows.map(({ ranks }) => ranks[matrix]));
  const byLayer = rows.map(({ ranks }) => computeMean(ranks));
  return [...cells.flat(), ...cells.map(computeMean), ...byLayer, average].map((value) =>
    value === undefined ? null : Math.round(value * 100) / 100,
  );
}

function chooseShade(rank: number, largest: number): number {
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

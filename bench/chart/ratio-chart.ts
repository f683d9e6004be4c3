import { standalone } from '../../scripts/standalone-figure.ts';
import { type Mark, plot } from '../../src/studies/report/chart/plot.ts';
import { legend } from '../../src/studies/report/chart/svg-figure.ts';
import { type Markup, markup } from '../../src/studies/report/markup.ts';
import { REFERENCE } from '../figures.ts';
import type { SideName } from '../sides.ts';
import type { RatioGroup } from './ratio-groups.ts';

const COLUMNS = [
  { key: 'speed', name: `speed, ${REFERENCE} = 1`, left: 10 },
  { key: 'memory', name: `peak memory, ${REFERENCE} = 1`, left: 190 },
] as const;
const COLORS: Partial<Record<SideName, string>> = { 'adalora float32': 't0', 'adalora int8': 't2' };
const BAR = { height: 10, pitch: 12 };
/** Share of the axis reserved for the value of the longest bar. */
const VALUE_ROOM = 0.25;
/** The image has its own background, because the page may have the other color scheme. */
const STYLE = `svg{background:var(--paper)}.bar{fill:currentColor}.other{color:var(--soft)}.one{stroke:var(--ink);stroke-dasharray:2 2}.chart .value{font-size:9.5px}`;

/** Draws speed and memory relative to the reference as SVG, with a group of bars for each row of the bench. */
export function ratioChart(groups: readonly RatioGroup[], title: string): string {
  const sides = groups[0]!.bars.map(({ side }) => side);
  const names = legend(sides.map((label) => ({ label, color: chooseColor(label) })));
  const most = Math.max(
    1,
    ...groups.flatMap(({ bars }) => bars.flatMap(({ speed, memory }) => [speed, memory])),
  );
  const panels = groups.flatMap(({ name, bars }) =>
    COLUMNS.map(({ key }, column) => ({
      label: column === 0 ? name : ' ',
      marks: [...bars.map((bar, i) => ratioBar(bar.side, bar[key], bars.length - 1 - i)), one],
    })),
  );
  const titles = COLUMNS.map(
    ({ name, left }) => markup`<text class="axis name" x="${left}" y="${names.height + 12}">${name}</text>`,
  );
  const drawn = plot({
    id: 'bench',
    title,
    description: describe(groups),
    x: { domain: [0, most * (1 + VALUE_ROOM)], ticks: 4 },
    y: { names: sides.map(() => '') },
    panels,
    columns: 2,
    height: sides.length * BAR.pitch,
    above: { height: names.height + 16, content: [names.content, titles] },
  });
  return standalone(drawn, STYLE);
}

/** The bar of a side in a row, counted from below, with its value behind it and behind the line at 1. */
function ratioBar(side: SideName, value: number, row: number): Mark {
  return {
    points: [],
    draw: ({ x, y, left }) =>
      markup`<rect class="bar ${chooseColor(side)}" x="${left}" y="${y(row) - BAR.height / 2}" width="${(x(value) - left).toFixed(2)}" height="${BAR.height}"/><text class="value" x="${Math.max(x(value), x(1)) + 4}" y="${y(row) + 3.5}">${formatRatio(value)}</text>`,
  };
}

const one: Mark = {
  points: [],
  draw: ({ x, top, bottom }): Markup =>
    markup`<line class="one" x1="${x(1)}" x2="${x(1)}" y1="${top - 1}" y2="${bottom + 1}"/>`,
};

function chooseColor(side: SideName): string {
  return COLORS[side] ?? 'other';
}

function formatRatio(value: number): string {
  return `${value.toFixed(2)}×`;
}

function describe(groups: readonly RatioGroup[]): string {
  const sentences = groups.map(({ name, bars }) => {
    const each = bars.map(
      ({ side, speed, memory }) =>
        `${side} has ${formatRatio(speed)} the speed and ${formatRatio(memory)} the memory`,
    );
    return `${name}: ${each.join(', ')}.`;
  });
  return `Compared with ${REFERENCE}. ${sentences.join(' ')}`;
}

import { linear, rounded, type Scale } from '../../src/studies/report/chart/axes.ts';
import { picture, textWidth, WIDTH } from '../../src/studies/report/chart/picture.ts';
import { standalone } from '../../src/studies/report/chart/style.ts';
import { type Markup, markup } from '../../src/studies/report/markup.ts';
import { REFERENCE } from '../figures.ts';
import type { SideName } from '../sides.ts';
import type { RatioGroup } from './ratio-groups.ts';

const COLUMNS = [
  { key: 'speed', name: `speed, ${REFERENCE} = 1`, left: 10, right: 172 },
  { key: 'memory', name: `peak memory, ${REFERENCE} = 1`, left: 190, right: WIDTH - 10 },
] as const;
const COLOURS: Partial<Record<SideName, string>> = { 'adalora float32': 't0', 'adalora int8': 't2' };
const BAR = { height: 10, pitch: 12 };
const NAME_HEIGHT = 15;
const TOP = 44;
const GAP = 9;
/** Width reserved to the right of the longest bar. */
const VALUE_WIDTH = 34;
/** The image has its own background, because the page may have the other color scheme. */
const STYLE = `.ground{fill:var(--paper)}.bar{fill:currentColor}.other{color:var(--mark)}.one{stroke:var(--ink);stroke-dasharray:2 2}.chart .value{font-size:9.5px}`;

/** Draws speed and memory relative to the reference as SVG, with a group of bars for each row of the bench. */
export function ratioChart(groups: readonly RatioGroup[], title: string): string {
  const sides = groups[0]!.bars.map(({ side }) => side);
  const scales = COLUMNS.map(({ key, left, right }) => {
    const largest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map((bar) => bar[key])));
    return linear([0, largest], [left, right - VALUE_WIDTH]);
  });
  const size = NAME_HEIGHT + sides.length * BAR.pitch + GAP;
  const height = TOP + groups.length * size;
  const frame = { id: 'bench', width: WIDTH, height, title, description: description(groups) };
  const drawn = picture(frame, [
    markup`<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    legend(sides),
    COLUMNS.map(
      ({ name, left }) => markup`<text class="axis name" x="${left}" y="${TOP - 9}">${name}</text>`,
    ),
    groups.map((group, i) => drawnGroup(group, TOP + i * size, scales)),
  ]);
  return standalone(drawn, STYLE);
}

function legend(sides: readonly SideName[]): Markup[] {
  let x = COLUMNS[0].left;
  return sides.map((side) => {
    const at = x;
    x += Math.round(textWidth(side)) + 18;
    return markup`<rect class="bar ${colour(side)}" x="${at}" y="9" width="9" height="9"/><text x="${at + 13}" y="17">${side}</text>`;
  });
}

function drawnGroup({ name, bars }: RatioGroup, top: number, scales: readonly Scale[]): Markup {
  const first = top + NAME_HEIGHT;
  const bottom = first + bars.length * BAR.pitch;
  const columns = COLUMNS.map(({ key, left }, column) => {
    const scale = scales[column]!;
    return bars.map((bar, i) => {
      const y = first + i * BAR.pitch;
      const end = scale(bar[key]);
      return markup`<rect class="bar ${colour(bar.side)}" x="${left}" y="${y}" width="${rounded(end - left)}" height="${BAR.height}"/><text class="value" x="${rounded(Math.max(end, scale(1)) + 4)}" y="${y + 8.5}">${ratio(bar[key])}</text>`;
    });
  });
  const ones = scales.map(
    (scale) => markup`<line class="one" x1="${scale(1)}" x2="${scale(1)}" y1="${first - 2}" y2="${bottom}"/>`,
  );
  return markup`<text x="${COLUMNS[0].left}" y="${top + 10}">${name}</text>${columns}${ones}`;
}

function colour(side: SideName): string {
  return COLOURS[side] ?? 'other';
}

function ratio(value: number): string {
  return `${value.toFixed(2)}×`;
}

function description(groups: readonly RatioGroup[]): string {
  const told = groups.map(({ name, bars }) => {
    const each = bars.map(
      ({ side, speed, memory }) => `${side} has ${ratio(speed)} the speed and ${ratio(memory)} the memory`,
    );
    return `${name}: ${each.join(', ')}.`;
  });
  return `Beside ${REFERENCE}. ${told.join(' ')}`;
}

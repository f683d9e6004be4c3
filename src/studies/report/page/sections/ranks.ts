import { largest } from '../../../../support/numbers.ts';
import { linear } from '../../chart/axes.ts';
import { chooseShade, heatMapChart, heatMapValues, SHADES } from '../../chart/heat-map.ts';
import { type Captioned, matrixName, picture, textWidth } from '../../chart/picture.ts';
import { counted } from '../../format.ts';
import { type Content, jsonMarkup, type Markup, markup } from '../../markup.ts';
import { type RankTable, rankTable } from '../../rank-table.ts';
import { componentsIn, type RunGroup } from '../../run/group-runs.ts';
import { type Moment, mergeTimelines } from '../../run/timeline.ts';
import { figure, groupTitle, part } from '../section.ts';
import { budgetFigure } from './curves.ts';
import { type ImportanceFrames, importanceFrames, scoreHistogram } from './importance.ts';

export interface BarChart extends Captioned {
  /** From top to bottom. `index` identifies a bar for the script that changes its value. */
  bars: readonly { label: string; value: number; index: number }[];
  /** The value of a bar with the full width. */
  largest: number;
}

/** Two charts fit side by side below a heat map. */
const WIDTH = 270;
const ROW = 17;
const BAR = 11;

/** A row for each bar, with its value at the right. */
function barChart({ bars, largest: most, ...frame }: BarChart): Markup {
  const left = Math.ceil(largest(bars.map(({ label }) => textWidth(label)))) + 10;
  const length = linear([0, most], [0, WIDTH - 34 - left]);
  return picture({ ...frame, width: WIDTH, height: bars.length * ROW + 4 }, [
    bars.map(({ label, value, index }, i) => {
      const y = i * ROW + 3;
      return markup`<text class="axis" text-anchor="end" x="${left - 7}" y="${y + 9}">${label}</text><rect class="kept" data-i="${index}" data-unit="${length(1)}" x="${left}" y="${y}" width="${length(value)}" height="${BAR}"/><text class="mean" data-i="${index}" text-anchor="end" x="${WIDTH - 2}" y="${y + 9}">${value.toFixed(1)}</text>`;
    }),
  ]);
}

const CELL = 9;

/** A small heat map without text. Several of them fit in a row. */
function rankThumbnail(id: string, { columns, rows }: RankTable, largest: number, title: string): Markup {
  const frame = { id, width: rows.length * CELL, height: columns.length * CELL, title };
  const cells = rows.flatMap(({ ranks }, layer) =>
    ranks.map((rank, matrix) =>
      rank === undefined
        ? undefined
        : markup`<rect class="h${chooseShade(rank, largest)}" x="${layer * CELL}" y="${(columns.length - 1 - matrix) * CELL}" width="${CELL - 1}" height="${CELL - 1}"/>`,
    ),
  );
  return picture({ ...frame, description: 'A small map of ranks; a deeper color is a higher rank.' }, cells);
}

/** The data of a slider over the run. The slider's script reads it from the page. */
export interface RankFrames {
  shades: number;
  largest: number;
  steps: number[];
  /** The unit of budgets: triplets or doublets. */
  components: string;
  budgets: number[];
  /** From {@link heatMapValues}. */
  values: (number | null)[][];
  importance?: ImportanceFrames;
}

/** Number of small maps in a row. */
const THUMBNAILS = 6;

/** How the ranks of each group changed, with a slider over the run. Constant ranks are captioned in a sentence. */
export function ranks(groups: readonly RunGroup[]): Markup | undefined {
  const isNamed = groups.length > 1;
  const timelines = groups.map(mergeTimelines);
  if (timelines.every((moments) => moments.length === 0)) return undefined;
  const budget = budgetFigure(groups);
  const even = groups.map((group, i) => evenRanks(group, timelines[i]!, `ranks-${i}-even`, isNamed));
  const moved = groups.filter((_, i) => timelines[i]!.length > 0 && !even[i]);
  const maps = (beside: Content) =>
    groups.map(
      (group, i) => moved.includes(group) && map(group, timelines[i]!, `ranks-${i}`, isNamed, beside),
    );
  // A single map leaves room for other figures beside it. Several maps fill the width.
  if (moved.length === 1) return markup`${maps([even, budget])}`;
  return markup`<div class="maps">${maps(undefined)}</div>${even}<div class="figures">${budget}</div>`;
}

/** A sentence for ranks that are equal and constant. */
function evenRanks(
  group: RunGroup,
  moments: readonly Moment[],
  id: string,
  isNamed: boolean,
): Markup | undefined {
  const values = new Set(moments.flatMap((moment) => Object.values(moment.ranks)));
  if (values.size !== 1) return undefined;
  const modules = Object.keys(moments[0]!.ranks).length;
  return part(
    id,
    markup`<p>${isNamed && `${group.label}: `}rank ${[...values]} in each of ${modules} matrices.</p>`,
  );
}

function map(
  group: RunGroup,
  moments: readonly Moment[],
  id: string,
  isNamed: boolean,
  beside: Content,
): Markup {
  const last = moments.at(-1)!;
  const most = largest(moments.flatMap((moment) => Object.values(moment.ranks)));
  const modules = Object.keys(last.ranks).length;
  const mean = group.runs.length > 1 ? `, mean of ${group.runs.length} seeds` : '';
  const title = groupTitle(group, isNamed, `rank of each matrix${mean}`);
  const components = componentsIn([group]);
  const caption = `${counted(last.budget)} ${components} in ${modules} matrices, ${(last.budget / modules).toFixed(1)} on average.`;
  const description = `At step ${counted(last.step)}: ${caption}`;
  const heatMap = { id, title, description, table: rankTable(last.ranks), largest: most };
  const drawn = figure(heatMapChart, heatMap, {
    controls: slider(id, moments),
    caption: markup`<b>${title}.</b> Layers from left to right, matrices from bottom to top in the order of computation; a deeper color is a higher rank. ${description}`,
    isWide: true,
  });
  const frames: RankFrames = {
    shades: SHADES,
    largest: most,
    steps: moments.map(({ step }) => step),
    components,
    budgets: moments.map(({ budget }) => Math.round(budget)),
    values: moments.map((moment) => heatMapValues(rankTable(moment.ranks))),
    importance: importanceFrames(group),
  };
  return markup`<div class="map" data-slides="${id}"><div>${drawn}${part(`${id}-strip`, strip(id, moments, most))}${means(id, last, most, (text) => groupTitle(group, isNamed, text))}</div>${frameData(id, frames)}<div class="beside">${scoreHistogram(group, `${id}-scores`, isNamed)}${beside}</div></div>`;
}

/** The mean rank of each matrix and of each layer, as bars that follow the slider. */
function means(
  id: string,
  { step, ranks }: Moment,
  largest: number,
  titled: (text: string) => string,
): Markup | undefined {
  const table = rankTable(ranks);
  const values = heatMapValues(table);
  const cells = table.columns.length * table.rows.length;
  const bars = (names: readonly string[], first: number) =>
    names.map((label, i) => ({ label, value: values[first + i] ?? 0, index: first + i }));
  const figures = [
    { by: 'kind of matrix', key: 'matrix', bars: bars(table.columns.map(matrixName), cells).reverse() },
    {
      by: 'layer',
      key: 'layer',
      bars: bars(
        table.rows.map(({ layer }) => layer),
        cells + table.columns.length,
      ),
    },
  ].filter((chart) => chart.bars.length > 1);
  return markup`<div class="means">${figures.map(({ by, key, bars }) => {
    const title = titled(`mean rank by ${by}`);
    const description = `At step ${counted(step)}.`;
    const chart = { id: `${id}-by-${key}`, title, description, bars, largest };
    return figure(barChart, chart, { caption: markup`<b>${title}.</b>` });
  })}</div>`;
}

function slider(id: string, moments: readonly Moment[]): Markup | undefined {
  if (moments.length < 2) return undefined;
  return markup`<div class="slider" hidden><label for="${id}-slider">Step</label><input id="${id}-slider" type="range" min="0" max="${moments.length - 1}" value="${moments.length - 1}" step="1"><output for="${id}-slider"></output></div>`;
}

function frameData(id: string, frames: RankFrames): Markup {
  return markup`<div hidden data-part="${id}-frames"><script type="application/json">${jsonMarkup(frames)}</script></div>`;
}

/** Some positions of the slider side by side, also for print. */
function strip(id: string, moments: readonly Moment[], largest: number): Markup | undefined {
  if (moments.length < 3) return undefined;
  const count = Math.min(THUMBNAILS, moments.length);
  const chosen = Array.from({ length: count }, (_, i) =>
    Math.round((i * (moments.length - 1)) / (count - 1)),
  );
  return markup`<div class="strip">${chosen.map((index) => {
    const { step, ranks } = moments[index]!;
    const title = `Ranks at step ${counted(step)}`;
    return markup`<figure>${rankThumbnail(`${id}-at-${step}`, rankTable(ranks), largest, title)}<figcaption>${counted(step)}</figcaption></figure>`;
  })}</div>`;
}

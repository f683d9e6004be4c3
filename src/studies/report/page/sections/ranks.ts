import { largest } from '../../../../support/numbers.ts';
import { heatMapChart, heatMapValues, SHADES } from '../../chart/heat-map.ts';
import { counted } from '../../format.ts';
import { type Content, jsonMarkup, type Markup, markup } from '../../markup.ts';
import { rankTable } from '../../rank-table.ts';
import { componentsIn, type RunGroup } from '../../run/group-runs.ts';
import { type Moment, mergeTimelines } from '../../run/timeline.ts';
import { figure, figures, groupTitle } from '../section.ts';
import { budgetFigure } from './curves.ts';

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
}

/** How the ranks of each group changed, with a slider over the run. Constant ranks are captioned in a sentence. */
export function ranks(groups: readonly RunGroup[]): Markup | undefined {
  const isNamed = groups.length > 1;
  const timelines = groups.map(mergeTimelines);
  if (timelines.every((moments) => moments.length === 0)) return undefined;
  const drawn = timelines.map((moments, i) => {
    const values = new Set(moments.flatMap((moment) => Object.values(moment.ranks)));
    if (values.size !== 1) return moments.length > 0 && drawMap(groups[i]!, moments, `ranks-${i}`, isNamed);
    const modules = Object.keys(moments[0]!.ranks).length;
    return markup`<p>${isNamed && `${groups[i]!.label}: `}rank ${[...values]} in each of ${modules} matrices.</p>`;
  });
  return markup`<div class="maps">${drawn}${figures([budgetFigure(groups)])}</div>`;
}

function drawMap(group: RunGroup, moments: readonly Moment[], id: string, isNamed: boolean): Markup {
  const last = moments.at(-1)!;
  const most = largest(moments.flatMap((moment) => Object.values(moment.ranks)));
  const modules = Object.keys(last.ranks).length;
  const mean = group.runs.length > 1 ? `, mean of ${group.runs.length} seeds` : '';
  const title = groupTitle(group, isNamed, `rank of each matrix${mean}`);
  const components = componentsIn([group]);
  const description = `At step ${counted(last.step)}: ${counted(last.budget)} ${components} in ${modules} matrices, ${(last.budget / modules).toFixed(1)} on average.`;
  const heatMap = { id, title, description, table: rankTable(last.ranks), largest: most };
  const drawn = figure(heatMapChart, heatMap, {
    controls: moments.length > 1 && slider(id, moments.length - 1),
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
  };
  return markup`<div data-slides="${id}">${drawn}<script type="application/json">${jsonMarkup(frames)}</script></div>`;
}

function slider(id: string, last: number): Content {
  return markup`<div class="slider" hidden><label for="${id}-slider">Step</label><input id="${id}-slider" type="range" min="0" max="${last}" value="${last}" step="1"><output for="${id}-slider"></output></div>`;
}

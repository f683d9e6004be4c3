import type { Point } from '../../../../scores/stats/series.ts';
import { largest } from '../../../../support/numbers.ts';
import { type ComponentHistory, strongestFirst } from '../../../../training/run/component-history.ts';
import type { EventOf } from '../../../../training/run/events.ts';
import { lineChart, type Mark, plot, rule } from '../../chart/plot.ts';
import { type Captioned, chooseTone } from '../../chart/svg-figure.ts';
import { counted } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import { componentsIn, type RunGroup } from '../../run/group-runs.ts';
import { figure, figures, groupTitle } from '../section.ts';

type Scored = EventOf<'allocation'> & { scores: (number | null)[][] };

/** The importance of all components at the last allocation, and of some components over the steps. */
export function importance(groups: readonly RunGroup[]): Markup | undefined {
  const isNamed = groups.length > 1;
  return figures(
    groups.flatMap((group, i) => [
      distribution(group, `importance-${i}`, isNamed),
      drawFollowed(group, `followed-${i}`, isNamed),
    ]),
  );
}

/**
 * The distribution of all components' importance at the last allocation, of the run with the lowest seed: scores of
 * different runs are not on a common scale. Undefined if the log has no importance.
 */
function distribution(group: RunGroup, id: string, isNamed: boolean): Markup | undefined {
  const { allocations } = group.runs[0];
  const last = allocations.findLast((allocation): allocation is Scored => allocation.scores !== undefined);
  if (!last) return undefined;
  const { kept, dropped, keptCount, count } = splitScores(last.scores, Object.values(last.ranks));
  const components = componentsIn([group]);
  const without = count - kept.length - dropped.length;
  const missing = without > 0 ? `; ${counted(without)} without a score are not drawn` : '';
  const description = `${counted(keptCount)} of ${counted(count)} ${components} kept at step ${counted(last.step)}${missing}.${describeSeed(group)}`;
  const title = groupTitle(group, isNamed, `importance of the ${components}`);
  const caption = markup`<b>${title}.</b> <span class="swatch kept"></span> kept, <span class="swatch dropped"></span> dropped: ${description}`;
  const { threshold } = last;
  return figure(
    histogram,
    {
      id,
      title,
      description,
      components,
      kept,
      dropped,
      ...(threshold > 0 && { cut: Math.log10(threshold) }),
    },
    { caption },
  );
}

interface Histogram extends Captioned {
  /** The unit that the chart counts: triplets or doublets. */
  components: string;
  /** Scores as decimal logarithms. */
  kept: readonly number[];
  dropped: readonly number[];
  cut?: number;
}

/** A histogram of components' scores on a logarithmic axis, kept components above dropped ones, and the cut. */
function histogram({ components, kept, dropped, cut, ...frame }: Histogram): Markup {
  const edges = binEdges([...kept, ...dropped]);
  const [upper, lower] = [kept, dropped].map((scores) => countBins(scores, edges)) as [number[], number[]];
  const most = Math.max(1, largest(upper.map((count, i) => count + lower[i]!)));
  const bars: Mark = {
    points: [],
    draw: ({ x, y }) =>
      upper.map((count, i) => {
        const [low, high] = [edges[i]!, edges[i + 1]!];
        const below = lower[i]!;
        const bar = (kind: string, from: number, to: number) =>
          markup`<rect class="${kind}" x="${x(low)}" width="${Math.max(1, x(high) - x(low) - 1).toFixed(2)}" y="${y(to)}" height="${(y(from) - y(to)).toFixed(2)}"/>`;
        return markup`<g class="bin"><title>${low} to ${high}: ${count} kept, ${below} dropped</title>${bar('dropped', 0, below)}${bar('kept', below, below + count)}</g>`;
      }),
  };
  return plot({
    ...frame,
    x: { name: 'log10 importance', domain: [edges[0]!, edges.at(-1)!] },
    y: { name: components, domain: [0, most], ticks: 4 },
    panels: [{ marks: [bars, ...(cut === undefined ? [] : [rule(cut, 'cut')])] }],
  });
}

/** Scores of one allocation, as decimal logarithms. The counts include triplets without a score. */
interface SplitScores {
  kept: number[];
  dropped: number[];
  keptCount: number;
  count: number;
}

/**
 * Splits an allocation's scores into kept and dropped ones.
 *
 * @param scores by module, each with the largest score first
 * @param ranks number of kept triplets in each of these modules
 */
export function splitScores(
  scores: readonly (readonly (number | null)[])[],
  ranks: readonly number[],
): SplitScores {
  const isScore = (score: number | null): score is number => score !== null;
  const kept = scores.flatMap((module, k) => module.slice(0, ranks[k] ?? 0));
  const dropped = scores.flatMap((module, k) => module.slice(ranks[k] ?? 0));
  const counts = { keptCount: kept.length, count: kept.length + dropped.length };
  return { kept: kept.filter(isScore), dropped: dropped.filter(isScore), ...counts };
}

/** Counts the values between `edges`, which are evenly spaced. The outer bins also count values outside the edges. */
export function countBins(values: readonly number[], edges: readonly number[]): number[] {
  const bins = edges.slice(1).map(() => 0);
  const width = edges[1]! - edges[0]!;
  for (const value of values) {
    const bin = Math.floor((value - edges[0]!) / width + 1e-9);
    bins[Math.max(0, Math.min(bins.length - 1, bin))]!++;
  }
  return bins;
}

/** Edges of at most 40 bins around all values. Bins span a quarter of a decade or more. */
export function binEdges(values: readonly number[]): number[] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high >= low)) return [0, 1];
  const width = [0.125, 0.25, 0.5, 1, 2, 5, 10].find((size) => (high - low) / size <= 38) ?? 20;
  const first = Math.floor(low / width);
  const count = Math.floor(high / width) - first + 1;
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * width);
}

/** Number of components to follow, of the kept and of the dropped ones. */
const FOLLOWED = 3;

/** The importance of some components over the steps: the most important kept ones and dropped ones. */
function drawFollowed(group: RunGroup, id: string, isNamed: boolean): Markup | undefined {
  const strongest = strongestFirst(group.runs[0].histories ?? []);
  const isKept = ({ kept }: ComponentHistory) => kept.at(-1) === true;
  const chosen = [true, false].flatMap((kept) =>
    strongest.filter((history) => isKept(history) === kept).slice(0, FOLLOWED),
  );
  if (chosen.length === 0) return undefined;
  const curves = chosen.map((history, i) => ({
    label: `${history.module.split('.').slice(-4).join('.')} ${history.component}`,
    color: chooseTone(i),
    dashed: !isKept(history),
    points: history.steps
      .map((step, i): Point => [step, Math.log10(history.importance[i]!)])
      .filter(([, logarithm]) => Number.isFinite(logarithm)),
  }));
  return figure(lineChart, {
    id,
    title: groupTitle(group, isNamed, `importance of single ${componentsIn([group])}`),
    description: `The strongest of those kept at the end and (dashed) of those dropped, as a power of ten.${describeSeed(group)}`,
    x: { name: 'step' },
    y: { name: 'log10 importance' },
    curves,
  });
}

function describeSeed({ runs }: RunGroup): string {
  return runs.length > 1 ? ` Seed ${runs[0].facts.seed}.` : '';
}

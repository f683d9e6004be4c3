import type { RunGroup } from './group-runs.ts';
import { newestRanks, type RunRecord } from './run-record.ts';

/** The ranks at one step of a run, or their means over the seeds of a group. */
export interface Moment {
  step: number;
  /** Number of kept triplets. */
  budget: number;
  /** Rank of each module. */
  ranks: Record<string, number>;
}

/** The ranks of a group's runs at the start, and at every allocation that all of them record. */
export function timelineOf({ runs }: RunGroup): Moment[] {
  const timelines = runs.map(momentsOf).filter((moments) => moments.size > 0);
  const [first, ...others] = timelines;
  if (!first) return [];
  return [...first.keys()]
    .filter((step) => others.every((timeline) => timeline.has(step)))
    .map((step) =>
      meanOf(
        step,
        timelines.map((timeline) => timeline.get(step)!),
      ),
    );
}

function momentsOf(run: RunRecord): Map<number, Record<string, number>> {
  const { start, allocations, finish } = run;
  const moments = new Map<number, Record<string, number>>();
  if (start && Object.keys(start.ranks).length > 0) moments.set(0, start.ranks);
  for (const { step, ranks } of allocations) moments.set(step, ranks);
  const newest = newestRanks(run);
  if (moments.size === 0 && finish && Object.keys(newest).length > 0) moments.set(finish.step, newest);
  return moments;
}

function meanOf(step: number, all: readonly Record<string, number>[]): Moment {
  const modules = Object.keys(all[0]!);
  const ranks = Object.fromEntries(
    modules.map((module) => [module, all.reduce((sum, ranks) => sum + (ranks[module] ?? 0), 0) / all.length]),
  );
  const budget = Object.values(ranks).reduce((sum, rank) => sum + rank, 0);
  return { step, budget, ranks };
}

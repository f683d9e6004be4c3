import { addUp, isSampled, mean } from '../../../support/numbers.ts';
import type { TrainEvent } from '../../../training/run/events.ts';
import type { RunGroup } from './group-runs.ts';
import { newestRanks, type RunRecord } from './run-record.ts';

/** Estimates the remaining time of a run from its steps since its start event, those of a cross-validation included. */
export class TimeLeft {
  readonly #now: () => number;
  #foldSteps = 0;
  #total = 0;
  #started: { steps: number; time: number } | undefined;

  /** @param now returns milliseconds, from any clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Returns the remaining seconds after an event. NaN before they are known. */
  after(event: TrainEvent): number {
    if (event.type === 'start') {
      this.#foldSteps = event.fold_steps ?? 0;
      this.#total = this.#foldSteps + event.total_steps;
      this.#started = { steps: event.step > 0 ? this.#foldSteps + event.step : 0, time: this.#now() };
      return event.expected_seconds ?? Number.NaN;
    }
    const isFolds = event.type === 'progress' && event.what === 'folds';
    // Before the first step, only a cross-validation is measured.
    if (!this.#started || (!isFolds && event.step === 0)) return Number.NaN;
    const steps = isFolds ? event.share * this.#foldSteps : this.#foldSteps + event.step;
    const { steps: before, time } = this.#started;
    if (steps <= before) return Number.NaN;
    return ((this.#now() - time) / 1000 / (steps - before)) * (this.#total - steps);
  }
}

/** The ranks at one step of a run, or their means over the seeds of a group. */
export interface Moment {
  step: number;
  /** Number of kept triplets. */
  budget: number;
  /** Rank of each module. */
  ranks: Record<string, number>;
}

/** Maximum number of moments in a report. A slider over more of them would be no finer. */
const MAX_MOMENTS = 200;

/** The ranks of a group's runs at the start, and at allocations that all of them record, evenly sampled. */
export function mergeTimelines({ runs }: RunGroup): Moment[] {
  const timelines = runs.map(collectMoments).filter((moments) => moments.size > 0);
  const [first, ...others] = timelines;
  if (!first) return [];
  return [...first.keys()]
    .filter((step) => others.every((timeline) => timeline.has(step)))
    .filter((_, i, steps) => isSampled(i + 1, steps.length, MAX_MOMENTS))
    .map((step) =>
      computeMean(
        step,
        timelines.map((timeline) => timeline.get(step)!),
      ),
    );
}

function collectMoments(run: RunRecord): Map<number, Record<string, number>> {
  const { start, allocations, finish } = run;
  const moments = new Map<number, Record<string, number>>();
  if (start && Object.keys(start.ranks).length > 0) moments.set(0, start.ranks);
  for (const { step, ranks } of allocations) moments.set(step, ranks);
  const newest = newestRanks(run);
  if (moments.size === 0 && finish && Object.keys(newest).length > 0) moments.set(finish.step, newest);
  return moments;
}

function computeMean(step: number, all: readonly Record<string, number>[]): Moment {
  const modules = Object.keys(all[0]!);
  const ranks = Object.fromEntries(
    modules.map((module) => [module, mean(all.map((ranks) => ranks[module] ?? 0))]),
  );
  return { step, budget: addUp(Object.values(ranks)), ranks };
}

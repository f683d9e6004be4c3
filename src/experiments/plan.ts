import type { Cell, Experiment } from './experiment.ts';

/** A row of a plan. */
export interface PlannedCell {
  row: string;
  task: string;
  settings: Cell['settings'];
  /** The paper's numbers by score, as printed; null if it has none, or none that are comparable. */
  paper: Readonly<Record<string, number>> | null;
}

export function plannedCell({ row, task, settings, paper }: Cell): PlannedCell {
  return { row, task, settings, paper: paper ?? null };
}

/** The number of runs of a cell, and of tuning runs counted in whole runs. */
export function runsOf({ seeds, tuning }: Experiment, { grid }: Cell): { runs: number; wholes: number } {
  if (grid.length < 2) return { runs: seeds.length, wholes: seeds.length };
  let [alive, before, wholes] = [grid.length, 0, 0];
  for (const until of [...tuning.halving, 100]) {
    if (alive === 1) break;
    wholes += (alive * (until - before)) / 100;
    before = until;
    alive = until < 100 ? Math.ceil(alive / 2) : 1;
  }
  return { runs: grid.length + seeds.length, wholes: wholes * (1 - tuning.heldOut) + seeds.length };
}

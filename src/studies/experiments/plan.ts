import type { Cell, Experiment } from './experiment.ts';

export interface PlannedCell {
  row: string;
  task: string;
  settings: Cell['settings'];
  /** The paper's scores as printed; null if it has no comparable ones. */
  paper: Readonly<Record<string, number>> | null;
}

export function plannedCell({ row, task, settings, paper }: Cell): PlannedCell {
  return { row, task, settings, paper: paper ?? null };
}

/** Counts the runs of a cell. `wholes` counts a tuning run by the share of a whole run that it trains. */
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

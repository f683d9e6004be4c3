/** The importance of every component of a run over time: components keep their place from the start to the end. */
export interface ImportanceLog {
  /** Adapted matrices in order, with their initial ranks. */
  modules: readonly { name: string; rank: number }[];
  /** One per allocation, in order of steps. */
  rows: readonly ImportanceRow[];
}

export interface ImportanceRow {
  step: number;
  /** Scores of all components, modules in order. */
  scores: Float32Array;
  /** 1 for each component that was kept. */
  kept: Float32Array;
}

/** A component of an adapted matrix over a run. */
export interface ComponentHistory {
  module: string;
  /** Its index in the initial factors. */
  component: number;
  /** The step of each allocation. */
  steps: number[];
  importance: number[];
  kept: boolean[];
}

/** The importance at the last allocation. */
export function lastImportance({ importance }: ComponentHistory): number {
  return importance.at(-1) ?? 0;
}

/** The histories with the most important components at the end first. */
export function strongestFirst(histories: readonly ComponentHistory[]): ComponentHistory[] {
  return histories.toSorted((a, b) => lastImportance(b) - lastImportance(a));
}

/** The history of every component, modules in order. */
export function componentHistories({ modules, rows }: ImportanceLog): ComponentHistory[] {
  const steps = rows.map(({ step }) => step);
  let start = 0;
  return modules.flatMap(({ name, rank }) => {
    const first = start;
    start += rank;
    return Array.from({ length: rank }, (_, component) => ({
      module: name,
      component,
      steps,
      importance: rows.map(({ scores }) => scores[first + component]),
      kept: rows.map(({ kept }) => kept[first + component] === 1),
    }));
  });
}

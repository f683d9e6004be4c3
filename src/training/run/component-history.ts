/** The importance of every component over a run. Components stay in the same place for the whole run. */
export interface ImportanceLog {
  /** The adapted matrices in order, with their initial ranks. */
  modules: readonly { name: string; rank: number }[];
  /** One row per allocation, in the order of steps. */
  rows: readonly ImportanceRow[];
}

interface ImportanceRow {
  step: number;
  /** Scores of all components, in the order of modules. */
  scores: Float32Array;
  /** For each component, 1 if it was kept. */
  kept: Float32Array;
}

/** The importance of one component of an adapted matrix over a run. */
export interface ComponentHistory {
  module: string;
  /** Its index in the initial factors. */
  component: number;
  /** The steps at which ranks were allocated. */
  steps: number[];
  importance: number[];
  kept: boolean[];
}

/** The importance at the last allocation. */
function lastImportance({ importance }: ComponentHistory): number {
  return importance.at(-1) ?? 0;
}

/** Sorts histories by the final importance of their components, the most important first. */
export function strongestFirst(histories: readonly ComponentHistory[]): ComponentHistory[] {
  return histories.toSorted((a, b) => lastImportance(b) - lastImportance(a));
}

/** The history of every component, in the order of modules. */
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
      importance: rows.map(({ scores }) => scores[first + component]!),
      kept: rows.map(({ kept }) => kept[first + component] === 1),
    }));
  });
}

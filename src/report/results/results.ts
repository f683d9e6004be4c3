import { peakMemoryMb } from '../run/costs.ts';
import { finalScores, type RunRecord } from '../run/run-record.ts';
import { type Interval, interval, variance } from '../stats/interval.ts';
import { type PairedTest, pairedTest } from '../stats/paired-test.ts';

/** A finished run of a table. */
export interface TableRun {
  method: string;
  budget?: string;
  record: RunRecord;
}

/** The paper's scores of a method at a level of the budget. */
interface PaperFigures {
  method: string;
  budget?: string;
  scores: Readonly<Record<string, number>>;
}

/** What a table says of a recipe. */
export interface TableRecipe {
  name: string;
  title: string;
  /** The paper's results; the names of their scores are those that the table has. */
  paper: readonly PaperFigures[];
  /** What it has of other rows. */
  further: readonly PaperFigures[];
  runs: readonly TableRun[];
}

/** A score of a method over seeds. */
export interface ResultScore extends Interval {
  /** Standard deviation over seeds; missing for a single one. */
  deviation?: number;
  paper?: number;
  /** The same seeds against the method that the table compares with, at the same budget if it has that. */
  against?: PairedTest;
}

/** A method at a level of the budget. */
export interface ResultRow {
  method: string;
  budget?: string;
  seeds: number[];
  scores: Record<string, ResultScore>;
  /** Trained numbers outside the head, as the paper counts them: those that are left at the end. */
  parameters?: number;
  /** Seconds of training, evaluations included. */
  seconds?: Interval;
  memoryMb?: Interval;
}

export interface RecipeResults {
  recipe: string;
  title: string;
  rows: ResultRow[];
}

/** What the finished runs of a recipe come to: a row for each of the paper's, then those that it has not. */
export function recipeResults(
  { name, title, paper, further, runs }: TableRecipe,
  comparedWith: string,
): RecipeResults {
  const names = [...new Set(paper.flatMap(({ scores }) => Object.keys(scores)))];
  const runsOf = (method: string, budget: string | undefined) =>
    runs
      .filter((run) => run.method === method && run.budget === budget)
      .map(({ record }) => record)
      .sort((a, b) => a.facts.seed - b.facts.seed);
  const all = new Map(
    [...paper, ...runs].map(({ method, budget }) => [`${method} ${budget}`, { method, budget }]),
  );
  const rows = [...all.values()].map(({ method, budget }): ResultRow => {
    const own = runsOf(method, budget);
    const known = [...paper, ...further].find((row) => row.method === method && row.budget === budget);
    const other = [...all.values()].filter((row) => row.method === comparedWith);
    const beside = other.find((row) => row.budget === budget) ?? other[0];
    const compared = beside && method !== comparedWith ? runsOf(comparedWith, beside.budget) : [];
    return {
      method,
      budget,
      seeds: own.map(({ facts }) => facts.seed),
      scores: Object.fromEntries(
        names.map((score) => [score, scoreOf(score, own, compared, known?.scores[score])]),
      ),
      parameters: own[0]?.finish?.adapter_parameters ?? own[0]?.start?.adapter_parameters,
      seconds: over(own, ({ finish }) => finish?.train_runtime),
      memoryMb: over(own, peakMemoryMb),
    };
  });
  return { recipe: name, title, rows: rows.filter(({ seeds }) => seeds.length > 0) };
}

function scoreOf(
  name: string,
  own: readonly RunRecord[],
  compared: readonly RunRecord[],
  paper: number | undefined,
): ResultScore {
  const value = (run: RunRecord) => finalScores(run).get(name) ?? Number.NaN;
  const values = own.map(value);
  const pairs = own.flatMap((run) => {
    const other = compared.find(({ facts }) => facts.seed === run.facts.seed);
    return other ? [[value(run), value(other)] as const] : [];
  });
  const against = pairedTest(
    pairs.map(([first]) => first),
    pairs.map(([, second]) => second),
  );
  return {
    ...interval(values),
    ...(values.length > 1 && { deviation: Math.sqrt(variance(values)) }),
    ...(paper !== undefined && { paper }),
    ...(against && { against }),
  };
}

function over(runs: readonly RunRecord[], of: (run: RunRecord) => number | undefined): Interval | undefined {
  const values = runs.map(of).filter((value) => value !== undefined && Number.isFinite(value));
  return values.length > 0 ? interval(values as number[]) : undefined;
}

import { z } from 'zod';
import { suggest } from '../../../support/text.ts';
import { type KeyPath, UserError, valueAt } from '../../../support/user-error.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { assertScored } from '../assert-scored.ts';
import { assertCount, type Cell, type Experiment, heldOutData, sharedPlace } from '../experiment.ts';
import { flat, isSection, merged, type Settings } from '../settings.ts';

const section = z.record(z.string(), z.unknown());
const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)])
  .transform((value) => (typeof value === 'string' ? Number.parseFloat(value) : 100 * value));
const grid = z.record(z.string(), z.array(z.unknown()).min(1));

/** Keys of a comparison's file that are not part of a run's config. */
const comparisonSchema = z.object({
  output: z.string().min(1),
  title: z.string().optional(),
  /** Settings of each row, by the row's name. `grid` is a row's own grid. */
  rows: z
    .record(z.string().min(1), section)
    .refine((rows) => Object.keys(rows).length > 0, 'expected at least one row'),
  /** Settings of each task, by name. */
  tasks: z.record(z.string().min(1), section).optional(),
  /** A grid for every row: values to choose from, by dotted key. */
  grid: grid.default({}),
  /** A number of seeds, or a list. */
  seeds: z.union([z.int().min(1).max(1000), z.array(z.int().min(0)).min(1)]).default(5),
  held_out: z.number().min(0).lt(1).default(0.1),
  tuning_seed: z.int().min(0).default(0),
  halving: z.union([z.boolean(), z.array(share).min(1)]).default(false),
  compared_with: z.string().optional(),
});

type Where = (path: KeyPath) => string;

/**
 * Parses a comparison's file into an experiment. All other keys of the file belong to the config of every
 * run.
 *
 * @throws UserError that lists all problems, including those of each run's config
 */
export function comparison(file: Record<string, unknown>, where: Where): Experiment {
  const parsed = comparisonSchema.safeParse(file);
  if (!parsed.success) {
    const messages = parsed.error.issues.map(
      ({ path, message }) => `${where(path)}: ${path.join('.')}: ${message}`,
    );
    throw new UserError([...new Set(messages)].join('\n'));
  }
  const { output, title, rows, tasks, seeds, held_out, tuning_seed, halving, compared_with } = parsed.data;
  const knownKeys = new Set(Object.keys(comparisonSchema.shape));
  const common = Object.fromEntries(Object.entries(file).filter(([key]) => !knownKeys.has(key)));
  const problems = new Set<string>();
  const cells = Object.entries(tasks ?? { run: {} }).flatMap(([task, ofTask]) =>
    Object.entries(rows).map(([row, { grid: ofRow, ...set }]): Cell => {
      const place: Where = (path) => {
        const homes: KeyPath[] = [['rows', row], ['tasks', task], []];
        const home = homes.find((home) => valueAt(file, [...home, ...path]) !== undefined);
        return where([...(home ?? []), ...path]);
      };
      const choices = gridOf(ofRow ?? parsed.data.grid, problems, place(['grid']));
      const config = merged(merged(common, ofTask), set);
      for (const choice of choices.length > 0 ? choices : [{}])
        check(merged(config, choice), choices.length > 1 ? held_out : 0, place, problems);
      return { row, task, settings: flat(set), config, grid: choices };
    }),
  );
  const twice = sharedPlace(cells);
  if (twice) problems.add(`${where(['rows'])}: two rows are named "${twice}"`);
  if (compared_with !== undefined && !(compared_with in rows)) {
    const hint = suggest(compared_with, Object.keys(rows));
    problems.add(
      `${where(['compared_with'])}: \`compared_with\` must be the name of a row, got ${compared_with}. ${hint}`,
    );
  }
  if (problems.size > 0) throw new UserError([...problems].join('\n'));
  const all = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, seed) => seed) : seeds;
  assertCount(
    cells.reduce((sum, cell) => sum + cell.grid.length + all.length, 0),
    where([]),
  );
  return {
    title: title ?? `Comparison of ${Object.keys(rows).length} rows`,
    output,
    folder: `${output}/runs`,
    cells,
    seeds: [...new Set(all)],
    tuning: {
      heldOut: held_out,
      seed: tuning_seed,
      halving: halving === true ? [25, 50] : halving === false ? [] : halving,
    },
    comparedWith: (cell) => cells.find(({ row, task }) => row === compared_with && task === cell.task),
    average: Object.keys(tasks ?? {}).length > 1,
  };
}

/** All combinations of a grid's values. The last key varies fastest. */
function gridOf(gridSection: unknown, problems: Set<string>, where: string): Settings[] {
  const parsed = grid.safeParse(isSection(gridSection) ? flat(gridSection) : gridSection);
  if (!parsed.success) {
    problems.add(`${where}: \`grid\` must have a list of values for each key`);
    return [];
  }
  return Object.entries(parsed.data).reduce<Settings[]>(
    (sofar, [key, values]) =>
      sofar.flatMap((settings) => values.map((value) => ({ ...settings, [key]: value }))),
    Object.keys(parsed.data).length > 0 ? [{}] : [],
  );
}

/** Checks a run's config and collects its problems. */
function check(config: Record<string, unknown>, heldOut: number, where: Where, problems: Set<string>): void {
  const whole = { ...config, output: 'output' };
  const tuned = merged(whole, { data: heldOutData(heldOut) });
  for (const each of heldOut > 0 ? [whole, tuned] : [whole]) {
    try {
      assertScored(parseRunConfig(each, where), where(['training']));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const line of error.message.split('\n')) problems.add(line);
    }
  }
}

import type { z } from 'zod';
import { InvalidConfig, UserError } from '../../../support/user-error.ts';
import type { AnySettings, ContinuesAdapters } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { importPeft, type PeftFiles, peftSettings, type TunerOf } from '../peft/peft-files.ts';
import { listRanks } from './factors.ts';
import { writeLowRank } from './low-rank-files.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import type { PeftAdapterConfig } from './peft-config.ts';

/** Keys that define the adapter. The other keys configure training and belong to the run. */
const DECIDED = [
  ...[
    'target_modules',
    'exclude_modules',
    'layers_to_transform',
    'layers_pattern',
    'modules_to_save',
    'bias',
  ],
  ...['lora_alpha', 'r', 'use_rslora', 'scale', 'rank_pattern', 'alpha_pattern', 'init_r', 'target_r'],
  ...['init_lora_weights', 'use_dora'],
];

/**
 * The method's section for a run that continues an adapter. Missing keys get the adapter's values.
 *
 * @param method the section's name
 * @param known the adapter's own config
 * @param meaningless keys without effect on such a run, unless the adapter's own config has them
 * @param where the adapter's name for messages
 * @throws UserError that names every given key that contradicts the adapter or has no effect
 */
function continuedSection<Schema extends z.ZodObject>(
  { method, schema }: { method: string; schema: Schema },
  {
    given,
    known,
    meaningless,
    where,
  }: {
    given: AnySettings;
    known: AnySettings;
    meaningless: readonly string[];
    where: string;
  },
): z.output<Schema> {
  const contradictions = DECIDED.filter(
    (key) => key in given && key in known && !agrees(key, given[key], known[key]),
  ).map((key) =>
    describe(`${method}.${key}`, `must be ${shown(known[key])}, as in the adapter, got ${shown(given[key])}`),
  );
  const idle = meaningless
    .filter((key) => !(key in known) && given[key] !== undefined)
    // Defaults do not count as given, because saved configs contain them.
    .filter((key) => given[key] !== schema.shape[key].safeParse(undefined).data)
    .map((key) =>
      describe(`${method}.${key}`, `does not apply when an adapter is continued, got ${shown(given[key])}`),
    );
  const problems = [...contradictions, ...idle];
  if (problems.length > 0) throw new InvalidConfig(problems.join('\n'));
  const taken = Object.keys(schema.shape).filter((key) => key in known && !isEmpty(known[key]));
  const section = schema.safeParse({
    ...Object.fromEntries(taken.map((key) => [key, known[key]])),
    ...given,
  });
  if (section.success) return section.data;
  const wrong = section.error.issues.map(({ path, message }) => `${where}: ${path.join('.')}: ${message}`);
  throw new InvalidConfig(wrong.join('\n'));
}

/**
 * Whether a given value equals the adapter's. In PEFT, lists have no order, and the head is added to `modules_to_save`.
 */
function agrees(key: string, given: unknown, known: unknown): boolean {
  if (isEmpty(given) && isEmpty(known)) return true;
  if (key === 'modules_to_save') return asList(given).every((name) => asList(known).includes(name));
  const inOrder = (value: unknown) =>
    JSON.stringify(Array.isArray(value) ? [...value].sort() : sorted(value));
  return inOrder(given) === inOrder(known);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);
}

function describe(key: string, fault: string): string {
  return new UserError({ where: key, fault, hint: 'Remove the key.' }).message;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

/** How a method continues adapters of a type. */
interface ContinuedMethod<Config extends PeftAdapterConfig, Schema extends z.ZodObject> {
  /** The name of its section. */
  method: string;
  schema: Schema;
  files: PeftFiles<Config>;
  /** Returns the adapter's settings under the section's names. Default: unchanged. */
  known?(start: Config): AnySettings;
  /** Makes a tuner that trains the adapter with these settings. */
  tunerOf(settings: z.output<Schema>): TunerOf<Config, LowRankTuner>;
  /** Keys of its section that have no effect on a continued run. */
  meaningless?: readonly string[];
  /** Keys of the adapter's file that the run's settings change. */
  storedKeys?(start: Config): AnySettings;
  notices: readonly string[];
}

/** Continues training of an adapter, at its ranks. */
export function continuesLowRank<
  Config extends PeftAdapterConfig,
  Schema extends z.ZodObject<{ lora_dropout: z.ZodType<number> }>,
>({
  method,
  schema,
  files,
  known = (start) => start,
  tunerOf,
  meaningless = [],
  storedKeys = () => ({}),
  notices,
}: ContinuedMethod<Config, Schema>): ContinuesAdapters<z.output<Schema>> {
  return {
    notices,
    section(given, stored, where) {
      const start = known(peftSettings(files, stored, where));
      return continuedSection({ method, schema }, { given, known: start, meaningless, where });
    },
    start(model, settings, stored, where) {
      const { tuner, values, config } = importPeft(files, model, stored, where, tunerOf(settings));
      const run = staticRun(tuner, {
        ranks: listRanks(tuner.modules),
        /** The settings are those of the adapter, including the rank pattern, except for a few. */
        store(trained, baseModel) {
          const { layout, values } = tuner.factored(trained);
          const { lora_dropout } = settings as { lora_dropout: number };
          const keys = { base_model_name_or_path: baseModel, lora_dropout, inference_mode: true };
          return writeLowRank({ ...config, ...keys, ...storedKeys(config) }, layout, values);
        },
      });
      return { run, values };
    },
  };
}

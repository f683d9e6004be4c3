import { isRows, type Rows, rowsText } from '../data/rows.ts';
import type { OwnMetrics } from '../metrics/own-metrics.ts';
import type { RunConfigInput } from '../run/config/run-config.ts';
import { isObject } from '../support/is-object.ts';
import type { OwnFunctions } from '../tuners/own-function.ts';
import { namedFunctions } from './named-functions.ts';

type DataWithRows<Data> = Data extends unknown
  ? Omit<Data, 'train' | 'validation'> & {
      /** Training data: a file, a split of `dataset`, or rows in memory. */
      train?: string | Rows | undefined;
      /** Validation data: a file, a share of `train` such as `10%`, rows in memory, or several of them by name. */
      validation?: string | readonly string[] | Rows | Readonly<Record<string, string | Rows>> | undefined;
    }
  : never;

/** A config in a program: data may be rows in memory instead of files, and there may be custom scores. */
export type ConfigWithRows = RunConfigInput extends infer Input
  ? Input extends { data: infer Data }
    ? Omit<Input, 'data'> & {
        /** The files or rows, their columns, and how they are read, by task. */
        data: DataWithRows<Data>;
        /** Your own scores; `metric_for_best_model` may name one. */
        metrics?: OwnMetrics | undefined;
      }
    : never
  : never;

/** Texts by the names that replace files in a config. */
export type TextsInMemory = Readonly<Record<string, string>>;

/**
 * The config with names for its rows and functions, the texts behind the names, the values that the names replace, and
 * the program's metrics. A run with equal rows can be resumed.
 */
export function namedRows(given: ConfigWithRows): {
  config: RunConfigInput;
  texts: TextsInMemory;
  functions: OwnFunctions;
  values: ReadonlyMap<string, unknown>;
  metrics: OwnMetrics;
} {
  const { data, metrics = {}, ...rest } = given;
  const values = new Map<string, unknown>();
  const { config, functions } = namedFunctions(rest, values);
  // Anything but an object is left for the schema to reject.
  if (!isObject(data))
    return { config: { ...config, data } as RunConfigInput, texts: {}, functions, values, metrics };
  const texts: Record<string, string> = {};
  const named = (set: string, value: unknown): unknown => {
    if (!isRows(value)) return value;
    const name = `memory/${set}.jsonl`;
    texts[name] = rowsText(value, `data.${set}`);
    values.set(name, value);
    return name;
  };
  const { train, validation } = data;
  const sets = isObject(validation)
    ? Object.fromEntries(Object.entries(validation).map(([name, set]) => [name, named(name, set)]))
    : named('validation', validation);
  return {
    config: {
      ...config,
      data: {
        ...data,
        ...(train !== undefined && { train: named('train', train) }),
        ...(validation !== undefined && { validation: sets }),
      },
    } as RunConfigInput,
    texts,
    functions,
    values,
    metrics,
  };
}

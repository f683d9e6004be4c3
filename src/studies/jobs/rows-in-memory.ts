import { isAsyncRows, isRows, rowsText } from '../../input/data/rows.ts';
import { type LossCall, nameOfFunction } from '../../program/objectives/own-function.ts';
import { type LossFunction, ownLossGraph } from '../../program/objectives/own-loss.ts';
import { assertMetricFunctions, computeOwn, type OwnMetrics } from '../../scores/metrics/own-metrics.ts';
import { collect } from '../../support/arrays.ts';
import { defined, isObject } from '../../support/options.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { ParsedConfig, RunConfigInput } from '../../training/run/config/run-config.ts';
import type { StepState } from '../../training/train/step-control.ts';
import type { RunCallbacks } from './run-callbacks.ts';

type UserFunctions = OwnOfRun['functions'];

/** Texts in memory by name. In a config, these names stand for files. */
export type TextsInMemory = Readonly<Record<string, string>>;

/** A config that has been parsed, and what it names in memory. */
export interface AskedRun {
  config: ParsedConfig;
  texts: TextsInMemory;
  functions: UserFunctions;
  metrics: OwnMetrics;
}

/** A run without rows and functions in memory. */
export function inFiles(config: ParsedConfig): AskedRun {
  return { config, texts: {}, functions: new Map(), metrics: {} };
}

/**
 * Parses a config of the calling program. It may contain rows and functions.
 *
 * @throws UserError for all errors in the config; the signal's reason if it is aborted
 * while rows are read
 */
export async function askedRun(given: RunConfigInput, signal?: AbortSignal): Promise<AskedRun> {
  const { config: named, ...own } = await namedRows(given, signal);
  return { ...own, config: parseRunConfig(named, 'config', Object.keys(own.metrics)) };
}

/**
 * Replaces rows and functions in a config by names. Returns the config, the texts and functions by name, and the
 * custom scores. The names depend on the content of the rows, so a run with equal rows can be resumed. Async
 * iterables are read to their end.
 */
export async function namedRows(
  given: RunConfigInput,
  signal?: AbortSignal,
): Promise<Omit<AskedRun, 'config'> & { config: RunConfigInput }> {
  const { data, metrics: own = {}, ...rest } = given;
  const metrics = assertMetricFunctions(own);
  const { config, functions } = namedFunctions(rest);
  // If `data` is not an object, the schema rejects it later.
  if (!isObject(data))
    return { config: { ...config, data } as RunConfigInput, texts: {}, functions, metrics };
  const texts: Record<string, string> = {};
  const named = async (set: string, value: unknown): Promise<unknown> => {
    const rows = isAsyncRows(value) ? await collect(value, signal) : value;
    if (!isRows(rows)) return rows;
    // Messages name the rows by it: `data.train:3`.
    const name = `data.${set}`;
    texts[name] = rowsText(rows, `data.${set}`);
    return name;
  };
  const { train, validation } = data;
  const trained = await named('train', train);
  const sets =
    isObject(validation) && !isAsyncRows(validation)
      ? Object.fromEntries(
          await Promise.all(
            Object.entries(validation).map(
              async ([name, set]) => [name, await named(`validation.${name}`, set)] as const,
            ),
          ),
        )
      : await named('validation', validation);
  return {
    config: {
      ...config,
      data: {
        ...data,
        ...defined({ train: trained, validation: sets }),
      },
    } as RunConfigInput,
    texts,
    functions,
    metrics,
  };
}

/** Replaces the loss function of a config by a name, and returns it by name. */
function namedFunctions<Config extends object>(config: Config): { config: Config; functions: UserFunctions } {
  const functions = new Map<string, (...given: never[]) => unknown>();
  const { training } = config as { training?: { compute_loss_func?: unknown } };
  const loss = training?.compute_loss_func;
  if (typeof loss !== 'function') return { config, functions };
  const name = nameOfFunction(loss as () => unknown);
  functions.set(name, loss as () => unknown);
  return { config: { ...config, training: { ...training, compute_loss_func: name } }, functions };
}

/**
 * A training's call of one of the user's functions. The functions stay where the user wrote them, so they may be of any
 * form and use variables from outside. Between threads, arguments and results are messages.
 */
export type RunCall =
  | LossCall
  | { what: 'metrics'; predictions: readonly unknown[]; references: readonly unknown[] }
  | { what: 'stepEnd'; state: StepState };

/** The user's functions of a run. */
interface OwnOfRun {
  /** The functions that the config names. */
  functions: ReadonlyMap<string, (...given: never[]) => unknown>;
  metrics: OwnMetrics;
  callbacks: RunCallbacks;
}

/**
 * Answers a call. The result is a promise for functions that may be asynchronous: metrics and `onStepEnd`.
 *
 * @throws UserError for a function that throws, or returns something else; any error of the metrics
 */
export function answerOwn({ functions, metrics, callbacks }: OwnOfRun, call: RunCall): unknown {
  switch (call.what) {
    case 'metrics':
      return computeOwn(metrics, call.predictions, call.references);
    case 'stepEnd':
      return callbacks.control(call.state);
  }
  return ownLossGraph(functions.get(call.name) as LossFunction, call);
}

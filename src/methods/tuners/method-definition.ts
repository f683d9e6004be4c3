import type { z } from 'zod';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { Definitions, type Module } from '../../support/definitions.ts';
import type { AdapterKind } from './adapter-kind.ts';
import type { Components } from './allocation/budget.ts';
import type { MethodRun } from './method-run.ts';
import type { TunableModel } from './tuner.ts';

/** Settings of a method, perhaps those of another version. */
export type AnySettings = Readonly<Record<string, unknown>>;

/** A method whose settings are not known before a config is read. */
export type AnyMethod = MethodDefinition<Record<string, unknown>, z.ZodObject | undefined>;

/** Texts about a method, for the model card, the report and the terminal. */
export interface MethodTexts {
  /** Its display name, such as "AdaLoRA". */
  title: string;
  /** Its display name with these settings, if some settings make it another method. */
  titleWith?(settings: AnySettings): string;
  /** Tags on the Hub. */
  tags: readonly string[];
  /** The Python library that loads its result. Undefined if only adalora does. */
  library?: 'peft' | 'adapters' | 'transformers';
  /**
   * Its settings in words, shown after its name: "rank 12 to 8 on average". Settings of other versions may lack keys.
   */
  summary?(settings: AnySettings): string | undefined;
  /** Settings that control how much is trained, and settings that usually change with them. */
  budgetKeys?: readonly string[];
  /** The unit of its ranks. Undefined for methods without ranks. */
  components?: Components;
  /** The names of the left and right factor of its increments, such as P and Q. */
  factors?: readonly [left: string, right: string];
  /** The measure of its regularizer, as a formula in words. Undefined for methods without a regularizer. */
  regularizer?(settings: AnySettings): string | undefined;
}

/** The name of a method with these settings. */
export function formatTitle({ title, titleWith }: MethodTexts, settings: AnySettings): string {
  return titleWith?.(settings) ?? title;
}

/** A run that continues an adapter. */
interface Continuation {
  run: MethodRun;
  /** The adapter's values, in the layout of the run's tuner. */
  values: Float32Array;
}

/** How a method continues an adapter. */
export interface ContinuesAdapters<Config> {
  /**
   * Opens a stored adapter for further training.
   *
   * @throws UserError like {@link AdapterKind.import}
   */
  start(model: TunableModel, config: Config, stored: StoredAdapter, where: string): Continuation;
  /**
   * Returns the method's config. Given keys override those stored in the adapter.
   *
   * @throws UserError that names every given key that contradicts the adapter
   */
  section(given: AnySettings, stored: StoredAdapter, where: string): Config;
  /** Notices for the user. */
  readonly notices: readonly string[];
}

/** A learning rate, and the keys of the method's section that go with it. */
type ChosenOfMethod<Config> = { readonly rate: number } & Partial<Config>;

/**
 * A method of fine-tuning: everything that the rest of adalora needs to know about it. A method is one folder, and one
 * line in the registry.
 *
 * @typeParam Config the resolved section of a run's config that has the method's name
 */
export interface MethodDefinition<Config = never, Schema extends z.ZodObject | undefined = undefined> {
  /** The section of a config. Undefined for methods without settings. */
  readonly config: Schema;
  /** The value of `training.learning_rate` with `defaults: huggingface`. */
  readonly learningRate: number;
  /** Values from which the policy for missing keys starts (training/run/config/defaults). */
  readonly chosen: {
    /** The values for a model with 384 features and a new head. */
    readonly encoder: ChosenOfMethod<Config>;
    /** The values for a decoder, or a model that keeps its language model head. */
    readonly language: ChosenOfMethod<Config>;
  };
  /** The trained part: an `adapter` on a frozen base, or the weights of the `model` itself. */
  readonly trains: 'adapter' | 'model';
  /** The type of base weights that these settings need, and the setting that needs it. */
  requiredBase?(config: Config): { key: string; dtype: 'int4' } | undefined;
  /**
   * Number of float32 vectors that training keeps, each as long as the vector of trained values: values, gradient,
   * moments and the method's own.
   */
  readonly vectors: number;
  /**
   * Sets the method up on a model.
   *
   * @param totalSteps optimizer steps of the run
   * @param seed seed of the random numbers that it draws during the run
   * @throws UserError for settings that do not fit the model or the run
   */
  start(model: TunableModel, config: Config, totalSteps: number, seed?: number): MethodRun;
  /** The kind of its adapter files. */
  readonly kind?: AdapterKind;
  readonly continues?: ContinuesAdapters<Config>;
  readonly words: MethodTexts;
}

/** All methods by name. The registry adds the built-in ones. */
export const methods = new Definitions<AnyMethod>('method');

/**
 * The sections of methods that a program defines, by name, for the types of configs. A program adds its methods by
 * declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs extend it
export interface DefinedMethods {}

/**
 * Adds a method. From then on, configs may name it, and adapters of its kind can be opened. Call it before any other
 * function of this package.
 *
 * @param name its name in a config, and that of its section
 * @param definition the settings, the `MethodRun` that they start, the adapter's files and texts
 * @param module the calling module, `import.meta`. Threads that train import it again, and a run resumes only if its
 * file is unchanged.
 * @returns nothing
 * @throws UserError for a name that already exists
 * @example
 * ```ts
 * import { defineMethod } from 'adalora';
 * import type { MethodDefinition, z } from 'adalora/tuners';
 *
 * export function register<Config, Schema extends z.ZodObject>(method: MethodDefinition<Config, Schema>) {
 *   defineMethod('output_scale', method, import.meta);
 * }
 * ```
 */
export function defineMethod<Config, Schema extends z.ZodObject | undefined>(
  name: string,
  definition: MethodDefinition<Config, Schema>,
  module: Module,
): void {
  methods.define(name, definition as unknown as AnyMethod, module);
}

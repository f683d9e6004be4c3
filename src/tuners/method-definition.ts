import type { z } from 'zod';
import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import type { AdapterKind } from './adapter-kind.ts';
import type { Components } from './allocation/components.ts';
import type { MethodRun } from './method-run.ts';
import type { TunableModel } from './tuner.ts';

/** What people read of a method: on the card, in the report, in a terminal. */
export interface MethodWords {
  /** "AdaLoRA" */
  title: string;
  /** What it is called with these settings, where some make another method of it. */
  titleWith?(settings: Readonly<Record<string, unknown>>): string;
  /** Tags on the Hub. */
  tags: readonly string[];
  /** The library that loads its result in Python; undefined where only this program does. */
  library?: 'peft' | 'adapters' | 'transformers';
  /** What its settings come to, behind its name: "rank 12 to 8 on average". Settings of other versions may lack keys. */
  summary?(settings: Readonly<Record<string, unknown>>): string | undefined;
  /** Keys of its settings that say how much is trained, and those that usually move with them. */
  budgetKeys?: readonly string[];
  /** What its ranks count; nothing where it has none. */
  components?: Components;
  /** What the left and the right factor of its increments are called: P and Q. */
  factors?: readonly [left: string, right: string];
  /** What its regularizer measures, as a formula in words; nothing where it has none. */
  regularizer?(settings: Readonly<Record<string, unknown>>): string | undefined;
}

/** What a method with some settings is called. */
export function titleOf(
  { title, titleWith }: MethodWords,
  settings: Readonly<Record<string, unknown>>,
): string {
  return titleWith?.(settings) ?? title;
}

/** A run that goes on from an adapter. */
export interface Continuation {
  run: MethodRun;
  /** The adapter's values, in the layout of the run's tuner. */
  values: Float32Array;
}

/** How training goes on from an adapter. */
export interface ContinuesAdapters<Config> {
  /** @throws UserError as {@link AdapterKind.import} */
  start(model: TunableModel, config: Config, stored: StoredAdapter, where: string): Continuation;
  /**
   * The method's section of the config: what was given, and the rest as the adapter has it.
   *
   * @throws UserError naming every given key that contradicts the adapter
   */
  section(given: Readonly<Record<string, unknown>>, stored: StoredAdapter, where: string): Config;
  /** What to tell the user about it. */
  readonly notices: readonly string[];
}

/** A learning rate, and keys of the method's section that go with it. */
export type ChosenOfMethod<Config> = { readonly rate: number } & Partial<Config>;

/**
 * A method of fine-tuning: everything that the rest of the program needs of it. One folder, and one line in the registry.
 *
 * @typeParam Config the resolved section of a run's config that bears the method's name
 */
export interface MethodDefinition<Config = never, Schema extends z.ZodObject | undefined = undefined> {
  /** The section of a config; undefined for methods without settings. */
  readonly config: Schema;
  /** `training.learning_rate` with `defaults: huggingface`. */
  readonly learningRate: number;
  /** What the policy of defaults (run/config/defaults) starts from. */
  readonly chosen: {
    /** A model 384 features wide that gets a new head. */
    readonly encoder: ChosenOfMethod<Config>;
    /** A decoder, or a model that keeps its head of words. */
    readonly language: ChosenOfMethod<Config>;
  };
  /** `adapter`: beside a frozen base. `model`: the model's own weights, so that no base is frozen. */
  readonly trains: 'adapter' | 'model';
  /** float32 vectors as long as the trained one that training keeps: values, gradient, moments and the method's own. */
  readonly vectors: number;
  /**
   * Sets the method up on a model.
   *
   * @param totalSteps optimizer steps of the run
   * @throws UserError for settings that do not fit the model or the run
   */
  start(model: TunableModel, config: Config, totalSteps: number): MethodRun;
  /** The files that its adapters are kept in. */
  readonly kind?: AdapterKind;
  readonly continues?: ContinuesAdapters<Config>;
  readonly words: MethodWords;
}

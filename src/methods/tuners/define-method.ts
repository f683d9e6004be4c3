import type { z } from 'zod';
import { Definitions, type Module } from '../../support/definitions.ts';
import type { AnyMethod, MethodDefinition } from './method-definition.ts';

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

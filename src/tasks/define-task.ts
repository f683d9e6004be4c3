import { methods } from '../methods/tuners/method-definition.ts';
import { Definitions, type Module } from '../support/definitions.ts';
import type { AnyTask } from './task-definition.ts';

/** All tasks by name. The registry adds the built-in ones. */
export const tasks = new Definitions<AnyTask>('task');

/**
 * The `data` sections of tasks that a program defines, by name, for the types of configs. A program adds its tasks by
 * declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs extend it
export interface DefinedTasks {}

/**
 * Adds a task. From then on, configs may name it. Call it before any other function of this package.
 *
 * @param name its name in a config
 * @param definition what the task reads, how it is trained and scored, and what it predicts
 * @param module the calling module, `import.meta`. Threads that train import it again, and a run resumes only if its
 * file is unchanged.
 * @returns nothing
 * @throws UserError for a name that already exists
 * @example
 * ```ts
 * import { defineTask } from 'adalora';
 * import { labeledTexts, scoreKind } from 'adalora/tasks';
 *
 * const definition = labeledTexts({ ...scoreKind, name: 'rating', recognizes: () => false });
 * defineTask('rating', definition, import.meta);
 * ```
 */
export function defineTask(name: string, definition: AnyTask, module: Module): void {
  tasks.define(name, definition, module);
}

/** The addresses of the program's modules that define methods or tasks. A thread imports them too. */
export function definingModules(): string[] {
  return [...new Set([...methods.modules(), ...tasks.modules()])];
}

import { METHOD_NAMES, moduleOfMethod } from '../methods/tuners/registry.ts';
import { moduleOfTask, TASK_NAMES } from './registry.ts';

/** The addresses of the program's modules that define methods or tasks. A thread imports them too. */
export function definingModules(): string[] {
  const modules = [...METHOD_NAMES.map(moduleOfMethod), ...TASK_NAMES.map(moduleOfTask)];
  return [...new Set(modules)].filter((url) => url !== undefined);
}

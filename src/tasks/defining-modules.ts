import { methods } from '../methods/tuners/method-definition.ts';
import { tasks } from './define-task.ts';

/** The addresses of the program's modules that define methods or tasks. A thread imports them too. */
export function definingModules(): string[] {
  return [...new Set([...methods.modules(), ...tasks.modules()])];
}

import { definingModules } from '../definitions.ts';

/** Adds to a thread's input the addresses of the program's modules with definitions that the thread needs. */
export function withModules<Data extends object>(data: Data): Data & { modules: readonly string[] } {
  return { ...data, modules: definingModules() };
}

/**
 * Imports the modules of the program that started this thread. They define its methods and tasks in this thread too.
 */
export async function importModules({ modules }: { modules: readonly string[] }): Promise<void> {
  for (const url of modules) await import(url);
}

import { definingModules } from '../definitions.ts';

/** The input of a thread, with the modules of the program whose definitions it needs. */
export function withModules<Data extends object>(data: Data): Data & { modules: readonly string[] } {
  return { ...data, modules: definingModules() };
}

/** Imports the modules of the program that started this thread, which define its methods and tasks here too. */
export async function importModules({ modules }: { modules: readonly string[] }): Promise<void> {
  for (const url of modules) await import(url);
}

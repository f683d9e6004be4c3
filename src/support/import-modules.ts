/**
 * Imports the modules of the program that started this thread. They define its methods and tasks in this thread too.
 */
export async function importModules({ modules }: { modules: readonly string[] }): Promise<void> {
  for (const url of modules) await import(url);
}

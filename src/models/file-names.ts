import type { ModelDefinition } from './model-definition.ts';

type Renamed = Pick<ModelDefinition, 'renamedModules' | 'storedNames'>;

/** The name of a parameter in files that transformers writes. */
export function nameInFiles({ renamedModules = [], storedNames }: Renamed, name: string): string {
  if (storedNames?.[name] !== undefined) return storedNames[name];
  return renamedModules.reduce((result, [current, inFiles]) => replaced(result, current, inFiles), name);
}

/** The name in the model of a parameter or module that has an older name in a file. */
export function nameFromFiles({ renamedModules = [] }: Renamed, name: string): string {
  return renamedModules.reduce((result, [current, inFiles]) => replaced(result, inFiles, current), name);
}

/** Replaces consecutive modules in a path. */
function replaced(path: string, from: string, to: string): string {
  const inner = `.${path}.`.replace(`.${from}.`, `.${to}.`);
  return inner.slice(1, -1);
}

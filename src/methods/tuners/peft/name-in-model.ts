import { nameFromFiles } from '../../../models/file-names.ts';
import type { TunableModel } from '../tuner.ts';

/**
 * The model's name of a tensor or module in an adapter. An adapter made with an old transformers has a module's name in
 * files. Undefined for modules that the model does not compute, because nothing reads them.
 */
export function nameInModel(
  { definition, head, parameters }: TunableModel,
  name: string,
): string | undefined {
  if (head.unread?.some((module) => name === module || name.startsWith(`${module}.`))) return undefined;
  const renamed = Object.entries(definition.storedNames ?? {})
    .filter(([own]) => parameters.has(own))
    .map(([own, stored]) => [moduleOf(own), moduleOf(stored)] as const)
    .find(([, stored]) => name === stored || name.startsWith(`${stored}.`));
  return renamed ? renamed[0] + name.slice(renamed[1].length) : nameFromFiles(definition, name);
}

function moduleOf(parameter: string): string {
  return parameter.slice(0, parameter.lastIndexOf('.'));
}

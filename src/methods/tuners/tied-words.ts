import type { AdapterTensors } from '../../input/formats/adapters/stored-adapter.ts';
import { UserError } from '../../support/user-error.ts';
import type { TunableModel } from './tuner.ts';

/** The names of output weights that are the table of word embeddings, each with the table's name. */
export function tiedOutputs({ definition, parameters, head, wordTables }: TunableModel): [string, string][] {
  const isOfHead = (name: string) => head.mayLack?.some((module) => name.startsWith(`${module}.`));
  return Object.entries(definition.tiedNames ?? {}).flatMap(([table, names]) =>
    names
      .filter((name) => wordTables.has(table) && !parameters.has(name) && isOfHead(name))
      .map((name): [string, string] => [name, table]),
  );
}

/**
 * Whether a parameter is inside a module whose path ends in `end`, which is how PEFT reads `modules_to_save`: `norm` is
 * also the end of `input_layernorm`.
 */
export function isInsideModule(parameter: string, end: string): boolean {
  return parameter.includes(`${end}.`);
}

/**
 * Removes the second copy of tied word embeddings from an adapter's full parameters. PEFT writes it if the vocabulary
 * has grown.
 *
 * @param saved by their names in the model; changed in place
 * @param modules the file's `modules_to_save`: PEFT trains copies of them that are not tied
 * @throws UserError if the copies are separate parameters
 */
export function joinTiedWords(
  model: TunableModel,
  saved: AdapterTensors,
  modules: readonly string[] | null,
  where: string,
): void {
  for (const [output, table] of tiedOutputs(model)) {
    const copy = [table, output].find(
      (name) => saved.has(name) && modules?.some((module) => isInsideModule(name, module)),
    );
    if (copy !== undefined) {
      throw new UserError({
        where: `${where}: ${copy}`,
        fault: `was trained as a copy, but ${table} and ${output} are one parameter of the base model`,
        hint: 'Save the base model with tie_word_embeddings: false and both weights, and load the adapter on it.',
      });
    }
    const words = saved.get(table) ?? saved.get(output);
    if (words) saved.set(table, words);
    saved.delete(output);
  }
}

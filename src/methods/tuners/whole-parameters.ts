import type { Value } from '../../engine/graph/graph.ts';
import type { AdapterTensors } from '../../input/formats/adapters/stored-adapter.ts';
import type { Injection } from '../../models/nn/network.ts';
import { suggest } from '../../support/text.ts';
import { InvalidConfig, UserError } from '../../support/user-error.ts';
import type { Banked } from './bank/bank-form.ts';
import { ParameterLayout, type TrainedParameter } from './parameter-layout.ts';
import type { ReadParameter, ReadRange, TunableModel, TunedSite, Tuner } from './tuner.ts';

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
function isInsideModule(parameter: string, end: string): boolean {
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
        code: 'unsupported',
      });
    }
    const words = saved.get(table) ?? saved.get(output);
    if (words) saved.set(table, words);
    saved.delete(output);
  }
}

interface SavedSelection {
  modules_to_save?: readonly string[];
  bias: 'none' | 'lora_only' | 'all';
}

/**
 * The model's own parameters that are trained besides the adapters, by PEFT's rules:
 *
 * - those of the head;
 * - those of modules whose path ends in a name of `modules_to_save`;
 * - the biases that `bias` selects.
 *
 * @param adapted the layers that have an adapter
 */
export function savedParameters(
  model: TunableModel,
  { modules_to_save: modulesToSave = [], bias }: SavedSelection,
  adapted: readonly { path: string }[],
): TrainedParameter[] {
  const names = [...model.parameters.keys()];
  for (const module of modulesToSave) {
    if (names.some((name) => isInsideModule(name, module))) continue;
    throw new InvalidConfig({
      where: 'modules_to_save',
      fault: `has "${module}", which is not a module of the model`,
      hint: suggest(module, new Set(names.map((name) => name.split('.').at(-2) ?? name))),
    });
  }
  for (const [output, table] of tiedOutputs(model)) {
    const module = modulesToSave.find((name) => isInsideModule(table, name));
    if (module === undefined) continue;
    throw new InvalidConfig({
      where: 'modules_to_save',
      fault: `has "${module}" with the word embeddings, which are also the output weights (${output}) of this model`,
      hint: 'PEFT would separate them when it loads the adapter. Use a base model with tie_word_embeddings: false, or remove the module.',
    });
  }
  const adaptedBiases = new Set(adapted.map(({ path }) => `${path}.bias`));
  const isTrainedBias = {
    none: () => false,
    lora_only: (name: string) => adaptedBiases.has(name),
    all: (name: string) => name.endsWith('.bias'),
  }[bias];
  return [...model.parameters]
    .filter(
      ([name]) =>
        isTrainedBias(name) ||
        model.head.modules.some((module) => name.startsWith(`${module}.`)) ||
        modulesToSave.some((module) => isInsideModule(name, module)),
    )
    .map(([name, shape]) => ({ name, shape }));
}

/**
 * Reads the parameters of a model: trained ones from the vector, others from the base.
 *
 * @param change changes elements of a parameter of the base, from `start` on, in place
 */
export function mergedParameters(
  layout: ParameterLayout,
  values: Float32Array,
  readBase: ReadRange,
  change?: (range: Float32Array, name: string, start: number) => void,
): ReadRange {
  return (name, start, end) => {
    if (layout.find(name)) return layout.read(values, name).subarray(start, end);
    const range = readBase(name, start, end);
    change?.(range, name, start);
    return range;
  };
}

/** Trains some of the model's own parameters in full. */
export class WholeParameters implements Tuner {
  readonly layout: ParameterLayout;
  /** @param sites the modules that count as adapted; empty if the whole model is trained */
  constructor(
    parameters: readonly TrainedParameter[],
    readonly sites: readonly TunedSite[] = [],
  ) {
    this.layout = new ParameterLayout(parameters);
  }

  /** Reads the initial values from the checkpoint. */
  initialValues(_seed: number, read: ReadParameter): Float32Array {
    return this.layout.readInto(new Float32Array(this.layout.length), this.layout.segments, read);
  }

  inject(flat: Value): Injection {
    return { parameter: this.layout.own(flat) };
  }

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return mergedParameters(this.layout, values, readBase);
  }

  readonly bank = (): Banked => ({ parts: [], saved: this.layout.segments });
}

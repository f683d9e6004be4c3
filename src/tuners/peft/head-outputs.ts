import type { TunableModel } from '../tuner.ts';
import { PREFIX } from './adapter-keys.ts';
import type { PeftAdapter } from './export-adapter.ts';

/** Outputs of the classification head that an adapter brings with it; undefined where it brings none. */
export function headOutputs(
  { definition, parameters }: TunableModel,
  tensors: PeftAdapter['tensors'],
): number | undefined {
  const inHead = [...parameters.keys()].filter((name) =>
    definition.headModules.some((module) => name.startsWith(`${module}.`)),
  );
  // Parameters come in the order of use: the last layer gives the logits.
  const last = inHead.at(-1)?.replace(/\.[^.]*$/, '');
  const ofLast = inHead.filter((name) => name.startsWith(`${last}.`));
  return ofLast.flatMap((name) => tensors.get(PREFIX + name) ?? []).at(0)?.shape[0];
}

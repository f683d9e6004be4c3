import { type AdapterTensors, savedTensor } from '../../input/formats/adapters/stored-adapter.ts';
import type { TunableModel } from './tuner.ts';

/** The number of outputs of the head stored with an adapter. Undefined if it has no head. */
export function headOutputs({ head, parameters }: TunableModel, tensors: AdapterTensors): number | undefined {
  const inHead = [...parameters.keys()].filter((name) =>
    head.modules.some((module) => name.startsWith(`${module}.`)),
  );
  // Parameters are listed in the order of computation, so the last layer produces the logits.
  const last = inHead.at(-1)?.replace(/\.[^.]*$/, '');
  const ofLast = inHead.filter((name) => name.startsWith(`${last}.`));
  return ofLast.flatMap((name) => savedTensor(tensors, name) ?? []).at(0)?.shape[0];
}

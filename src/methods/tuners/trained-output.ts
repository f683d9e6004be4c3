import type { LinearModule } from '../../models/nn/network.ts';
import type { ParameterLayout } from './parameter-layout.ts';

/** The last linear module of a model with a head, and the names of its trained parameters. */
export interface TrainedOutput {
  path: string;
  weight: string;
  bias: string;
  /** Number of input features. */
  width: number;
  outputs: number;
}

/** The module that produces the logits. Undefined if its weight or its bias is not trained in full. */
export function trainedOutput(
  linears: readonly LinearModule[],
  layout: ParameterLayout,
): TrainedOutput | undefined {
  const last = linears.at(-1);
  const [weight, bias] = ['weight', 'bias'].map((name) => layout.find(`${last?.path}.${name}`));
  if (!last || !weight || !bias) return undefined;
  const names = { path: last.path, weight: weight.name, bias: bias.name };
  return { ...names, width: last.inFeatures, outputs: bias.shape[0]! };
}

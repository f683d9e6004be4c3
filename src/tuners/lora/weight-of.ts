import type { LinearModule } from '../../nn/network.ts';

/** The name and shape of a module's weight, as the checkpoint stores it. */
export function weightOf({ path, inFeatures, outFeatures, transposed }: LinearModule): [string, number[]] {
  return [`${path}.weight`, transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures]];
}

import { matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { Injection } from '../../../models/nn/network.ts';
import { readWeight } from '../lora/top-singular.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { Dropout, ReadParameter, Tuner } from '../tuner.ts';

/**
 * Finds the gradient of whole weights. Each module gets an increment D [out, in] of zeros. The gradient of D is that of
 * the weight. It also works over integer bases.
 */
export class WeightGradientTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly sites: Tuner['sites'];
  #read: ReadParameter | undefined;

  /** @param saved parameters of the model that the run trains, such as its head */
  constructor(
    readonly modules: readonly LowRankModule[],
    readonly saved: readonly TrainedParameter[],
  ) {
    const whole = modules.map(({ path, inFeatures, outFeatures }) => ({
      name: incrementName(path),
      shape: [outFeatures, inFeatures],
    }));
    this.layout = new ParameterLayout([...whole, ...saved]);
    this.sites = whole.map(({ shape: [out, width] }, k) => ({
      path: modules[k]!.path,
      parameters: out! * width!,
    }));
  }

  initialValues(_seed: number, read: ReadParameter): Float32Array {
    this.#read = read;
    return this.layout.readInto(new Float32Array(this.layout.length), this.saved, read);
  }

  inject(flat: Value, _dropout: Dropout, layout = this.layout): Injection {
    const increment = (path: string, x: Value) =>
      layout.find(incrementName(path)) &&
      matmul(x, layout.value(flat, incrementName(path)), { transposeB: true });
    return {
      parameter: layout.own(flat),
      increments: (paths, x) => paths.map((path) => increment(path, x)),
    };
  }

  /** The gradient of a module's weight, [out, in], as a view. */
  gradientOf(path: string, gradient: Float32Array): Float32Array {
    return this.layout.read(gradient, incrementName(path));
  }

  /** A module's weight as [out, in]. Available after {@link initialValues}. */
  weight(module: LowRankModule): Float32Array {
    const { inFeatures, outFeatures, transposed } = module;
    const stored = this.#read!(...readWeight(module));
    if (!transposed) return stored;
    return stored.map((_, at) => {
      const [row, column] = [Math.floor(at / inFeatures), at % inFeatures];
      return stored[column * outFeatures + row]!;
    });
  }
}

function incrementName(path: string): string {
  return `${path}.increment`;
}

import { multiply, reshape } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { FrozenModule, Injection, LinearModule } from '../../../models/nn/network.ts';
import type { Banked, BankedPart, BankForm } from '../bank/bank-form.ts';
import { byToken, tokenRows } from '../bank/bank-rows.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, ReadRange, TunedSite, Tuner } from '../tuner.ts';

/** A linear module and its vector of factors. */
export interface RescaledModule extends LinearModule {
  /** Whether the factors rescale the module's input instead of its output. */
  ofInput: boolean;
}

/** PEFT's name of a module's factors. */
export const IA3_PART = 'ia3_l';

/**
 * (IA)³ (Liu et al., 2022, arXiv 2205.05638): a trained factor for each output of attention's keys and values, and for
 * each input of the second layer of the feed-forward network. y = l ∘ (x Wᵀ + b), or y = (l ∘ x) Wᵀ + b.
 */
export class Ia3Tuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly sites: readonly TunedSite[];
  readonly #modules: ReadonlyMap<string, RescaledModule>;

  constructor(
    readonly modules: readonly RescaledModule[],
    /** Parameters of the model that are trained in full: the head. */
    readonly saved: readonly TrainedParameter[],
  ) {
    this.#modules = new Map(modules.map((module) => [module.path, module]));
    // As in PEFT: [1, in] for inputs, [out, 1] for outputs.
    const factors = modules.map(({ path, ofInput, inFeatures, outFeatures }) => ({
      name: `${path}.${IA3_PART}`,
      shape: ofInput ? [1, inFeatures] : [outFeatures, 1],
    }));
    this.layout = new ParameterLayout([...factors, ...saved]);
    this.sites = modules.map((module) => ({ path: module.path, parameters: widthOf(module) }));
  }

  /** Sets all factors to 1, so that the model does not change at first. */
  initialValues(_seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length).fill(1);
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value): Injection {
    const factors = (path: string, ofInput: boolean) => {
      const module = this.#modules.get(path);
      if (module?.ofInput !== ofInput) return undefined;
      return reshape(this.layout.value(flat, `${path}.${IA3_PART}`), [widthOf(module)]);
    };
    const scaled = (x: Value, by: Value | undefined) => by && multiply(x, by);
    return {
      parameter: (name) => (this.layout.find(name) ? this.layout.value(flat, name) : undefined),
      increments: (paths) => paths.map(() => undefined),
      input: (path, x) => scaled(x, factors(path, true)),
      output: (path, y, _x, module?: FrozenModule) => (module ? scaled(y, factors(path, false)) : undefined),
    };
  }

  readonly bank = (values: Float32Array): Banked => ({
    parts: bankedRescaling(this, values),
    saved: this.saved,
  });

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return (name, start, end) => {
      if (this.layout.find(name)) return this.layout.read(values, name).subarray(start, end);
      const range = readBase(name, start, end);
      const [, path, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
      const module = this.#modules.get(path!);
      if (!module || (kind === 'bias' && module.ofInput)) return range;
      const factors = this.layout.read(values, `${path}.${IA3_PART}`);
      const { inFeatures, outFeatures, ofInput, transposed = false } = module;
      const width = transposed ? outFeatures : inFeatures;
      for (let i = 0; i < range.length; i++) {
        const at = start + i;
        const isAlongRow = ofInput !== transposed;
        range[i]! *= factors[kind === 'bias' ? at : isAlongRow ? at % width : Math.floor(at / width)]!;
      }
      return range;
    };
  }
}

function widthOf({ ofInput, inFeatures, outFeatures }: RescaledModule): number {
  return ofInput ? inFeatures : outFeatures;
}

/** Rescales inputs or outputs of modules. */
const bankForm = (side: 'input' | 'output'): BankForm => ({
  key: `rescaled ${side}`,
  inject: (reader, rooms) => ({
    [side](path: string, x: Value) {
      if (!rooms.has(path)) return undefined;
      const factors = reader.read(path, [x.shape[1] as number], (pieces, slot) => {
        const piece = pieces.get(path);
        if (piece) slot.set(piece.tensors.factors!);
        else slot.fill(1);
      });
      return tokenRows(multiply(byToken(x), factors));
    },
  }),
});
const [INPUTS, OUTPUTS] = [bankForm('input'), bankForm('output')];

/** The factors of a tuner's modules. */
function bankedRescaling({ modules, layout }: Ia3Tuner, values: Float32Array): BankedPart[] {
  const part = (form: BankForm, isOfInput: boolean): BankedPart => {
    const own = modules.filter(({ ofInput }) => ofInput === isOfInput);
    const factors = (path: string) => layout.read(values, `${path}.${IA3_PART}`);
    return {
      form,
      pieces: new Map(own.map(({ path }) => [path, { size: 1, tensors: { factors: factors(path) } }])),
    };
  };
  return [part(INPUTS, true), part(OUTPUTS, false)];
}

import { z } from 'zod';
import { multiply, reshape } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { FrozenModule, Injection, LinearModule } from '../../../models/nn/network.ts';
import { InvalidConfig } from '../../../support/user-error.ts';
import { type Banked, type BankedPart, type BankForm, byToken, tokenRows } from '../bank/bank-form.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import { listParameters, type PeftFiles, peftKind, writePeft } from '../peft/peft-files.ts';
import { fileSchema, targetShape } from '../peft/settings.ts';
import { adaptedModules, defaultTargets, withTargets } from '../targets/adapted-modules.ts';
import { fullMatcher } from '../targets/python-regex.ts';
import type { ReadParameter, ReadRange, TunedSite, Tuner } from '../tuner.ts';
import { mergedParameters, savedParameters } from '../whole-parameters.ts';

/** A linear module and its vector of factors. */
interface RescaledModule extends LinearModule {
  /** Whether the factors rescale the module's input instead of its output. */
  ofInput: boolean;
}

/** PEFT's name of a module's factors. */
const IA3_PART = 'ia3_l';

/**
 * (IA)³ (Liu et al., 2022, arXiv 2205.05638): a trained factor for each output of attention's keys and values, and for
 * each input of the second layer of the feed-forward network. y = l ∘ (x Wᵀ + b), or y = (l ∘ x) Wᵀ + b.
 */
class Ia3Tuner implements Tuner {
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
    this.sites = modules.map((module) => ({ path: module.path, parameters: measureWidth(module) }));
  }

  /** Sets all factors to 1, so that the model does not change at first. */
  initialValues(_seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length).fill(1);
    return this.layout.readInto(values, this.saved, read);
  }

  inject(flat: Value): Injection {
    const factors = (path: string, ofInput: boolean) => {
      const module = this.#modules.get(path);
      if (module?.ofInput !== ofInput) return undefined;
      return reshape(this.layout.value(flat, `${path}.${IA3_PART}`), [measureWidth(module)]);
    };
    const scaled = (x: Value, by: Value | undefined) => by && multiply(x, by);
    return {
      parameter: this.layout.own(flat),
      input: (path, x) => scaled(x, factors(path, true)),
      output: (path, y, _x, module?: FrozenModule) => (module ? scaled(y, factors(path, false)) : undefined),
    };
  }

  readonly bank = (values: Float32Array): Banked => ({
    parts: bankedRescaling(this, values),
    saved: this.saved,
  });

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return mergedParameters(this.layout, values, readBase, (range, name, start) => {
      const [, path, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
      const module = this.#modules.get(path!);
      if (!module || (kind === 'bias' && module.ofInput)) return;
      const factors = this.layout.read(values, `${path}.${IA3_PART}`);
      const { inFeatures, outFeatures, ofInput, transposed = false } = module;
      const width = transposed ? outFeatures : inFeatures;
      for (let i = 0; i < range.length; i++) {
        const at = start + i;
        const isAlongRow = ofInput !== transposed;
        range[i]! *= factors[kind === 'bias' ? at : isAlongRow ? at % width : Math.floor(at / width)]!;
      }
    });
  }
}

function measureWidth({ ofInput, inFeatures, outFeatures }: RescaledModule): number {
  return ofInput ? inFeatures : outFeatures;
}

/** Rescales inputs or outputs of modules. */
const bankForm = (side: 'input' | 'output'): BankForm => ({
  key: `rescaled ${side}`,
  inject: (reader, sizes) => ({
    [side](path: string, x: Value) {
      if (!sizes.has(path)) return undefined;
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

const { target_modules, exclude_modules, modules_to_save } = targetShape;

/** IA3's settings: PEFT's keys. */
const ia3ConfigSchema = z.strictObject({
  /** Modules that are rescaled: names, or a regular expression. */
  target_modules,
  /** Modules that are not rescaled. */
  exclude_modules,
  /** The target modules whose input is rescaled instead of their output: names ([]: none), or a regular expression. */
  feedforward_modules: z.union([z.string().min(1), z.array(z.string().min(1))]).optional(),
  /** Modules to train in full besides the adapter. */
  modules_to_save,
});

const schema = fileSchema(ia3ConfigSchema.shape, { init_ia3_weights: z.boolean().default(true) });

/** PEFT's files of IA3. */
const IA3_FILES: PeftFiles<z.output<typeof schema>> = { peftType: 'IA3', schema, parts: [IA3_PART] };

/** Adapters of PEFT's type IA3. The shape of a tensor shows whether it rescales the module's input. */
const ia3Kind = peftKind(IA3_FILES, ({ modules, saved }) => {
  const rescaled = modules.map(({ tensors, ...module }) => ({
    ...module,
    ofInput: tensors.get(IA3_PART)!.shape.join() === `1,${module.inFeatures}`,
  }));
  return new Ia3Tuner(rescaled, listParameters(saved));
});

type Ia3Config = z.infer<typeof ia3ConfigSchema>;

/** (IA)³ (Liu et al., 2022), with the keys and files of PEFT. */
export const ia3: MethodDefinition<Ia3Config, typeof ia3ConfigSchema> = {
  config: ia3ConfigSchema,
  // The paper's learning rate for T0.
  learningRate: 3e-3,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 3e-3 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const feedforward_modules = config.feedforward_modules ?? defaultTargets(model, 'rescaledInputs');
    const rescalesInput = nameTest(feedforward_modules);
    const complete = { ...withTargets(model, config, 'rescaled'), feedforward_modules };
    const modules = adaptedModules(model, complete).map((module) => ({
      ...module,
      ofInput: rescalesInput(module.path),
    }));
    if (config.feedforward_modules?.length && !modules.some(({ ofInput }) => ofInput)) {
      throw new InvalidConfig({
        where: 'ia3.feedforward_modules',
        fault: `names none of the target modules, got ${JSON.stringify(feedforward_modules)}`,
      });
    }
    const tuner = new Ia3Tuner(modules, savedParameters(model, { ...config, bias: 'none' }, modules));
    return staticRun(tuner, {
      store: (values, baseModel) =>
        writePeft(IA3_FILES, {
          config: describedAdapter(model, complete, modules, baseModel),
          adapted: modules.map(({ path }) => path),
          layout: tuner.layout,
          values,
        }),
    });
  },
  kind: ia3Kind,
  words: { title: 'IA3', tags: ['peft', 'ia3'], library: 'peft' },
};

/**
 * Returns a test whether a module matches, by PEFT's rule. A regular expression must match the full path. A list entry
 * matches any suffix of the path, even part of a name.
 */
function nameTest(names: string | readonly string[]): (path: string) => boolean {
  return typeof names === 'string'
    ? fullMatcher('feedforward_modules')(names)
    : (path) => names.some((name) => path.endsWith(name));
}

import { defineMethod } from 'adalora';
import { multiply } from 'adalora/nn';
import {
  adaptedModules,
  defaultTargets,
  type MethodDefinition,
  ownAdapters,
  ParameterLayout,
  savedParameters,
  staticRun,
  type TunableModel,
  type Tuner,
  z,
} from 'adalora/tuners';

/** `output_scale`: one trained factor for each output of some linear modules, y = l ∘ (x Wᵀ + b). */
const config = z.strictObject({ target_modules: z.array(z.string()).optional() });
type Config = z.output<typeof config>;

declare module 'adalora' {
  interface DefinedMethods {
    output_scale: z.input<typeof config>;
  }
}

function scaleTuner(model: TunableModel, { target_modules }: Config): Tuner {
  const modules = adaptedModules(model, { target_modules }, defaultTargets(model, 'rescaled'));
  // The head is trained in full.
  const saved = savedParameters(model, { bias: 'none' }, modules);
  const nameOf = (path: string) => `${path}.scale`;
  const layout = new ParameterLayout([
    ...modules.map(({ path, outFeatures }) => ({ name: nameOf(path), shape: [outFeatures] })),
    ...saved,
  ]);
  return {
    layout,
    sites: modules.map(({ path, outFeatures }) => ({ path, parameters: outFeatures })),
    initialValues(_seed, read) {
      const values = new Float32Array(layout.length).fill(1);
      for (const { name, shape } of saved) layout.read(values, name).set(read(name, shape));
      return values;
    },
    inject: (flat) => ({
      parameter: (name) => (layout.find(name) ? layout.value(flat, name) : undefined),
      increments: (paths) => paths.map(() => undefined),
      output: (path, y) =>
        layout.find(nameOf(path)) ? multiply(y, layout.value(flat, nameOf(path))) : undefined,
    }),
  };
}

const { kind, store } = ownAdapters(
  'OUTPUT_SCALE',
  (settings) => config.parse(settings),
  scaleTuner,
  'Its factors are kept beside the model.',
);

const outputScale: MethodDefinition<Config, typeof config> = {
  config,
  learningRate: 1e-2,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 3e-3 } },
  trains: 'adapter',
  // Values, gradient, two moments, and a copy at a checkpoint.
  vectors: 5,
  start(model, settings) {
    const tuner = scaleTuner(model, settings);
    return staticRun(tuner, {
      store: (values, baseModel) => store(model, settings, values, baseModel),
    });
  },
  kind,
  words: { title: 'Output scale', tags: ['output-scale'] },
};

defineMethod('output_scale', outputScale, import.meta);

import type { PeftAdapterConfig } from '../../formats/peft/adapter-config.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { AdaLoraTuner, adaLoraScale } from '../adalora/adalora-tuner.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from '../adalora/config.ts';
import { LoraTuner, loraScale } from '../lora/lora-tuner.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { LowRankModule, TunableModel, Tuner } from '../tuner.ts';
import { BASE_WEIGHT, parseAdapterKey } from './adapter-keys.ts';
import type { PeftAdapter } from './export-adapter.ts';

/** An adapter on a model: ready for prediction. */
export interface ImportedAdapter {
  tuner: Tuner;
  values: Float32Array;
}

/** What training takes of a method's settings. */
export type TrainingSettings = Partial<
  Pick<AdaLoraConfig, 'lora_dropout' | 'orth_reg_weight' | 'orthogonality'>
>;

/**
 * Puts a PEFT adapter on a model. Modules and ranks are taken from its tensors, not from its patterns, so that an
 * adapter of any target selection reads the same. `fan_in_fan_out` means nothing to linear layers, for PEFT neither.
 *
 * @param settings for an adapter whose training continues
 * @throws UserError naming tensors that fit no module, have the wrong shape or lack those that belong to them
 */
export function importAdapter(
  model: TunableModel,
  adapter: PeftAdapter,
  where: string,
  settings: TrainingSettings = {},
): ImportedAdapter {
  const { config } = adapter;
  const stored = tensorsByName(adapter, where);
  const factors = [...stored].filter(([name]) => FACTOR.test(name));
  const ranks = new Map(
    factors.flatMap(([name, { shape }]) =>
      name.endsWith('.lora_A') ? [[name.replace(FACTOR, ''), shape[0]] as const] : [],
    ),
  );
  const modules = adaptedLinears(model, ranks, where).map((module) => ({
    ...module,
    scale:
      config.peft_type === 'ADALORA' ? adaLoraScale(config) : loraScale(config, module.path, module.rank),
  }));
  const saved = [...stored.keys()]
    .filter((name) => !FACTOR.test(name))
    .map((name) => {
      const shape = model.parameters.get(name);
      if (!shape) throw unknownName(`${where}: ${name}`, name, model.parameters.keys());
      return { name, shape };
    });
  const tuner = createTuner(config, modules, saved, settings);
  for (const [name] of factors) if (!tuner.layout.find(name)) throw strayFactor(name, ranks, where);
  return { tuner, values: readValues(tuner, stored, where) };
}

type Tensors = PeftAdapter['tensors'];

const FACTOR = /\.lora_[ABE]$/;

/** The tensors by our names. */
function tensorsByName({ config, tensors }: PeftAdapter, where: string): Tensors {
  const byName: Tensors = new Map();
  for (const [key, tensor] of tensors) {
    const parsed = parseAdapterKey(key);
    if (parsed)
      byName.set('parameter' in parsed ? parsed.parameter : `${parsed.path}.${parsed.factor}`, tensor);
    else if (!BASE_WEIGHT.test(key) && (config.bias !== 'all' || !key.endsWith('.bias'))) {
      const expected = 'such a tensor only where PEFT repeats biases (bias: all)';
      throw new UserError({ where: `${where}: ${key}`, expected, got: `bias: ${config.bias}` });
    }
  }
  return byName;
}

function createTuner(
  config: PeftAdapterConfig,
  modules: readonly LowRankModule[],
  saved: readonly TrainedParameter[],
  settings: TrainingSettings,
): LoraTuner | AdaLoraTuner {
  if (config.peft_type === 'LORA') return new LoraTuner({ lora_dropout: 0, ...settings }, modules, saved);
  const { init_r, lora_alpha } = config;
  return new AdaLoraTuner(
    { ...adaLoraConfigSchema.parse({}), init_r, lora_alpha, ...settings },
    modules,
    saved,
  );
}

function adaptedLinears(model: TunableModel, ranks: ReadonlyMap<string, number>, where: string) {
  const linears = new Map(model.linears.map((module) => [module.path, module]));
  return [...ranks].map(([path, rank]) => {
    const linear = linears.get(path);
    if (!linear) throw unknownName(`${where}: ${path}`, path, linears.keys());
    return { ...linear, rank, scale: 1 };
  });
}

function readValues(tuner: Tuner, stored: Tensors, where: string): Float32Array {
  const tensors = tuner.layout.segments.map(({ name, shape }) => {
    const tensor = stored.get(name);
    const expected = name.endsWith('.lora_E') ? [...shape, 1] : shape;
    if (tensor?.shape.join() === expected.join()) return { name, data: tensor.data };
    throw new UserError({
      where: `${where}: ${name}`,
      expected: `a tensor [${expected}]`,
      got: tensor ? `[${tensor.shape}]` : 'none',
      hint: 'The adapter belongs to another base model, or is damaged.',
    });
  });
  const values = new Float32Array(tuner.layout.length);
  for (const { name, data } of tensors) tuner.layout.read(values, name).set(data);
  return values;
}

function strayFactor(name: string, ranks: ReadonlyMap<string, number>, where: string): UserError {
  const path = name.replace(FACTOR, '');
  return new UserError({
    where: `${where}: ${name}`,
    expected: ranks.has(path) ? 'no such tensor in a LORA adapter' : `${path}.lora_A beside it`,
    got: ranks.has(path) ? 'one' : 'none',
    hint: 'The adapter is damaged.',
  });
}

function unknownName(where: string, name: string, known: Iterable<string>): UserError {
  return new UserError({
    where,
    expected: 'a module of the base model',
    got: 'none of that name',
    hint: `${suggest(name, known).slice(0, 300)} Was the adapter made for another base model?`,
  });
}

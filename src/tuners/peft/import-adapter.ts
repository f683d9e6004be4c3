import type { PeftAdapterConfig } from '../../formats/peft/adapter-config.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { AdaLoraTuner, adaLoraScale } from '../adalora/adalora-tuner.ts';
import { adaLoraConfigSchema } from '../adalora/config.ts';
import { LoraTuner, loraScale } from '../lora/lora-tuner.ts';
import type { LowRankModule, TunableModel, Tuner } from '../tuner.ts';
import { parseAdapterKey } from './adapter-keys.ts';
import type { PeftAdapter } from './export-adapter.ts';

/** An adapter on a model: ready for prediction. */
export interface ImportedAdapter {
  tuner: Tuner;
  values: Float32Array;
}

/**
 * Puts a PEFT adapter on a model. Modules and ranks are taken from its tensors, not from its patterns, so that an
 * adapter of any target selection reads the same.
 *
 * @throws UserError naming tensors that fit no module or have the wrong shape
 */
export function importAdapter(
  model: TunableModel,
  { config, tensors }: PeftAdapter,
  where: string,
): ImportedAdapter {
  const ranks = new Map<string, number>();
  const saved: { name: string; shape: readonly number[] }[] = [];
  for (const [key, { shape }] of tensors) {
    const parsed = parseAdapterKey(key);
    if (!parsed) continue;
    if ('parameter' in parsed) saved.push({ name: parsed.parameter, shape });
    else if (parsed.factor === 'lora_A') ranks.set(parsed.path, shape[0]);
  }
  const modules = adaptedLinears(model, ranks, where).map((module) => ({
    ...module,
    scale:
      config.peft_type === 'ADALORA' ? adaLoraScale(config) : loraScale(config, module.path, module.rank),
  }));
  for (const { name } of saved) {
    if (!model.parameters.has(name)) throw unknownName(`${where}: ${name}`, name, model.parameters.keys());
  }
  const tuner = createTuner(config, modules, saved);
  return { tuner, values: readValues(tuner, tensors, where) };
}

function createTuner(
  config: PeftAdapterConfig,
  modules: readonly LowRankModule[],
  saved: { name: string; shape: readonly number[] }[],
): Tuner {
  if (config.peft_type === 'LORA') return new LoraTuner(config, modules, saved);
  const { init_r, lora_alpha, lora_dropout } = config;
  return new AdaLoraTuner(adaLoraConfigSchema.parse({ init_r, lora_alpha, lora_dropout }), modules, saved);
}

function adaptedLinears(model: TunableModel, ranks: ReadonlyMap<string, number>, where: string) {
  const linears = new Map(model.linears.map((module) => [module.path, module]));
  return [...ranks].map(([path, rank]) => {
    const linear = linears.get(path);
    if (!linear) throw unknownName(`${where}: ${path}`, path, linears.keys());
    return { ...linear, rank, scale: 1 };
  });
}

function readValues(tuner: Tuner, tensors: PeftAdapter['tensors'], where: string): Float32Array {
  const stored = new Map(
    [...tensors].flatMap(([key, tensor]) => {
      const parsed = parseAdapterKey(key);
      if (!parsed) return [];
      return [['parameter' in parsed ? parsed.parameter : `${parsed.path}.${parsed.factor}`, tensor]];
    }),
  );
  const values = new Float32Array(tuner.layout.length);
  for (const { name, shape } of tuner.layout.segments) {
    const tensor = stored.get(name);
    const expected = name.endsWith('.lora_E') ? [...shape, 1] : shape;
    if (tensor?.shape.join() !== expected.join()) {
      throw new UserError({
        where: `${where}: ${name}`,
        expected: `a tensor [${expected}]`,
        got: tensor ? `[${tensor.shape}]` : 'none',
        hint: 'The adapter belongs to another base model, or is damaged.',
      });
    }
    tuner.layout.read(values, name).set(tensor.data);
  }
  return values;
}

function unknownName(where: string, name: string, known: Iterable<string>): UserError {
  return new UserError({
    where,
    expected: 'a module of the base model',
    got: 'none of that name',
    hint: `${suggest(name, known).slice(0, 300)} Was the adapter made for another base model?`,
  });
}

import type { AdapterTensor } from '../../../input/formats/adapters/stored-adapter.ts';
import type { Increments } from '../adapter-kind.ts';
import { weightStart } from '../lora/start-factors.ts';
import { factorOf } from './factors.ts';
import { loraScale } from './pattern-value.ts';
import { type PeftAdapter, parseAdapterKey } from './peft-config.ts';
import { plainLora } from './plain-lora.ts';

/**
 * The adapter as products of two matrices, with the whole scale and AdaLoRA's λ in B.
 *
 * @throws UserError like {@link plainLora}
 */
export function increments(adapter: PeftAdapter, where: string): Increments {
  const { config, tensors } = plainLora(adapter, where);
  const modules = new Map<string, { A?: AdapterTensor; B?: AdapterTensor }>();
  let more: string | undefined;
  if (weightStart(config.init_lora_weights))
    more = `a start from the weights (init_lora_weights: ${config.init_lora_weights})`;
  for (const [key, tensor] of tensors) {
    const name = parseAdapterKey(key);
    if (name === undefined) continue;
    const { path, factor } = factorOf(name) ?? {};
    if (path === undefined || (factor !== 'A' && factor !== 'B')) more ??= contentNamed(name);
    else {
      const scale = factor === 'A' ? 1 : loraScale(config, path, tensor.shape[1]!);
      modules.set(path, { ...modules.get(path), [factor]: scaled(tensor, scale) });
    }
  }
  // `plainLora` has checked that each module has both.
  return { modules: modules as Increments['modules'], more };
}

function scaled({ shape, data }: AdapterTensor, scale: number): AdapterTensor {
  return { shape, data: scale === 1 ? data : data.map((value) => value * scale) };
}

/** A description of a tensor that is no part of a product. */
function contentNamed(name: string): string {
  if (factorOf(name)) return `DoRA's magnitude (${name})`;
  return name.endsWith('.bias') ? `a trained bias (${name})` : `a module that was trained in full (${name})`;
}

import { safetensorsBytes } from '../encode-safetensors.ts';

/** The metadata that PEFT writes into the header of an adapter's tensor file. */
export const ADAPTER_METADATA = { format: 'pt' };

/** Size in bytes of an `adapter_model.safetensors` with its header, if all tensors are float32. */
export function adapterBytes(shapes: ReadonlyMap<string, readonly number[]>): number {
  const tensors = [...shapes].map(([key, shape]) => [key, { dtype: 'F32', shape }] as const);
  return safetensorsBytes(new Map(tensors), ADAPTER_METADATA);
}

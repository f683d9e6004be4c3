import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { PEFT_VERSION } from '../peft/peft-files.ts';
import { type PeftAdapterConfig, parseAdapterConfig } from './peft-config.ts';
import { INERT_DEFAULTS } from './unsupported.ts';

/** A low-rank adapter as stored in PEFT's files, with checked settings. */
export interface PeftAdapter {
  config: PeftAdapterConfig;
  tensors: AdapterTensors;
}

/**
 * Checks the settings of a stored adapter.
 *
 * @throws UserError that lists every invalid key, or names an unsupported setting
 */
export function peftAdapter({ config, tensors }: StoredAdapter, where: string): PeftAdapter {
  return { config: parseAdapterConfig(config, where), tensors };
}

/** Returns the adapter with every key that PEFT writes. */
export function asStored({ config, tensors }: PeftAdapter): StoredAdapter {
  return {
    config: { ...INERT_DEFAULTS, peft_version: PEFT_VERSION, ...config },
    tensors,
    baseModel: config.base_model_name_or_path,
  };
}

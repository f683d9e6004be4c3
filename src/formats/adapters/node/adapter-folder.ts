import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../node/atomic-write.ts';
import { missingFile } from '../../node/missing-file.ts';
import { readJson } from '../../node/read-text.ts';
import { SafetensorsFile } from '../../node/safetensors-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import { ADAPTER_FILES, encodeAdapter, storedAdapter } from '../adapter-files.ts';
import type { StoredAdapter } from '../stored-adapter.ts';

/** Whether a folder holds an adapter, as PEFT or this library saves it. */
export function holdsAdapter(folder: string): boolean {
  return existsSync(adapterConfigFile(folder));
}

/**
 * Reads an adapter that PEFT or this library saved; tensors of any floating type become f32. Of a pickle nothing is
 * executed. Throws a UserError for anything missing or damaged.
 */
export function readAdapter(folder: string): StoredAdapter {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const path = adapterConfigFile(folder);
  const config = readJson(path, 'the configuration of a PEFT adapter');
  const tensors = adapterTensorFile(folder);
  const file = tensors.endsWith(ADAPTER_FILES.pickle)
    ? openTorchFile(tensors)
    : SafetensorsFile.open(tensors);
  try {
    return storedAdapter(config, path, file);
  } finally {
    file.close();
  }
}

/** The path of an adapter's settings. */
export function adapterConfigFile(folder: string): string {
  return join(folder, ADAPTER_FILES.config);
}

/** The path of an adapter's tensors: like PEFT, safetensors where there is such a file. */
export function adapterTensorFile(folder: string): string {
  const { tensors, pickle } = ADAPTER_FILES;
  const isPickle = !existsSync(join(folder, tensors)) && existsSync(join(folder, pickle));
  return join(folder, isPickle ? pickle : tensors);
}

/** Writes an adapter as PEFT's `save_pretrained` does, each file atomically and in the order of {@link encodeAdapter}. */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  for (const [name, content] of encodeAdapter(adapter)) atomicWrite(join(folder, name), content);
}

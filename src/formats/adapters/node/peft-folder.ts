import { join } from 'node:path';
import { atomicWrite } from '../../node/atomic-write.ts';
import { readJson } from '../../node/read-text.ts';
import { SafetensorsFile } from '../../node/safetensors-file.ts';
import { openTorchFile } from '../../pickle/node/open-torch-file.ts';
import { ADAPTER_CONFIG, firstOf, PEFT_TENSORS } from '../adapter-files.ts';
import { encodePeft, peftStored } from '../peft-files.ts';
import type { StoredAdapter } from '../stored-adapter.ts';

/**
 * Reads an adapter in PEFT's format.
 *
 * @param present the files in the folder
 */
export function readPeft(folder: string, present: readonly string[]): StoredAdapter {
  const path = join(folder, ADAPTER_CONFIG);
  const config = readJson(path, 'the configuration of a PEFT adapter');
  const tensors = join(folder, firstOf(PEFT_TENSORS, present) ?? PEFT_TENSORS[0]);
  const file = tensors.endsWith('.bin') ? openTorchFile(tensors) : SafetensorsFile.open(tensors);
  try {
    return peftStored(config, path, file);
  } finally {
    file.close();
  }
}

/** Writes an adapter like PEFT's `save_pretrained`: each file atomically, in the order of {@link encodePeft}. */
export function writePeft(folder: string, adapter: StoredAdapter): void {
  for (const [name, content] of encodePeft(adapter)) atomicWrite(join(folder, name), content);
}

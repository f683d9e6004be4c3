import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { missingFile } from '../../node/missing-file.ts';
import { ADAPTER_CONFIG, ADAPTER_FILES, adapterFiles, formatOfFiles } from '../adapter-files.ts';
import { isAdapterHub } from '../adapterhub-config.ts';
import type { StoredAdapter } from '../stored-adapter.ts';
import { readAdapterHub, writeAdapterHub } from './adapterhub-folder.ts';
import { readPeft, writePeft } from './peft-folder.ts';

/** Whether a folder contains an adapter saved by PEFT, AdapterHub or this library. */
export function holdsAdapter(folder: string): boolean {
  return existsSync(join(folder, ADAPTER_CONFIG));
}

/**
 * Reads an adapter saved by PEFT, AdapterHub or this library. Tensors of any floating-point type are
 * converted to f32. Pickles are parsed, never executed.
 *
 * @throws UserError for a missing or damaged file
 */
export function readAdapter(folder: string): StoredAdapter {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const present = presentIn(folder);
  return formatOfFiles(present) === 'peft' ? readPeft(folder, present) : readAdapterHub(folder, present);
}

/**
 * Writes an adapter in the format of its settings. Each file is written atomically, and the settings are
 * written last.
 */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  if (isAdapterHub(adapter.config)) writeAdapterHub(folder, adapter);
  else writePeft(folder, adapter);
}

export function adapterPaths(folder: string): string[] {
  return (adapterFiles(presentIn(folder)) ?? []).map((name) => join(folder, name));
}

function presentIn(folder: string): string[] {
  return ADAPTER_FILES.filter((name) => existsSync(join(folder, name)));
}

export function adapterConfigFile(folder: string): string {
  return join(folder, ADAPTER_CONFIG);
}

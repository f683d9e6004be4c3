import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { UserError } from '../../../support/user-error.ts';

/**
 * Returns the folder of the base model that an adapter names. The name is a Hub id, or a path relative to the current
 * folder (as in PEFT) or to the adapter's folder.
 *
 * @throws UserError if it does not exist, or the adapter names none
 */
export async function resolveBase(
  name: string | null | undefined,
  adapterFolder: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<string> {
  if (!name) {
    throw new UserError({
      where: adapterFolder,
      fault: 'does not name its base model',
      hint: 'Give --model.',
    });
  }
  const beside = join(adapterFolder, name);
  try {
    return await resolveModel(!existsSync(name) && existsSync(beside) ? beside : name, { onProgress });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${error.message} ${adapterFolder} names it as its base model. If it is elsewhere, pass --model.`,
    );
  }
}

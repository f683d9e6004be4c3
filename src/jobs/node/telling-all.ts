import { ConfigError, type SoundParts } from '../../run/config/config-error.ts';
import { Mistakes } from '../../support/mistakes.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Does what reads a config or its files, and where that fails looks at everything else that the config names: a person mends all
 * of it at once.
 *
 * @param sound the config, where it is known
 * @param inMemory names of files that there need not be
 * @throws UserError with all mistakes
 */
export async function tellingAll<T>(
  work: () => T | Promise<T>,
  sound?: SoundParts,
  inMemory: readonly string[] = [],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const parts = sound ?? (error instanceof ConfigError ? error.sound : undefined);
    if (!parts || !(error instanceof UserError)) throw error;
    const { lookAtAll } = await import('./look-at-all.ts');
    const mistakes = new Mistakes();
    mistakes.note(error);
    await lookAtAll(parts, inMemory, mistakes);
    throw mistakes.asError();
  }
}

import { Mistakes, UserError } from '../../support/user-error.ts';
import { ConfigError } from '../../training/run/config/parse-run-config.ts';
import type { SoundConfig } from '../../training/run/config/run-config.ts';
import type { RunMachine } from './machine.ts';

/**
 * Runs work that reads a config or its files. If it fails, everything else that the config names is checked
 * too, so that the user can fix all errors at once.
 *
 * @param sound the config, if known
 * @param inMemory names of files that need not exist
 * @throws UserError with all errors
 */
export async function withAllErrors<T>(
  machine: RunMachine,
  work: () => T | Promise<T>,
  sound?: SoundConfig,
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
    await lookAtAll(parts, machine, inMemory, mistakes);
    throw mistakes.asError();
  }
}

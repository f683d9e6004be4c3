import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { Files } from '../../input/formats/files.ts';
import { kindOf, METHOD_NAMES, methodNamed } from '../../methods/tuners/registry.ts';
import { UserError } from '../../support/user-error.ts';
import { methodOf } from '../../training/run/config/method-of.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { fittingBase } from '../../use/trained/fitting-base.ts';
import { readNotes } from '../../use/trained/notes.ts';
import type { StartingAdapter } from './begin-run.ts';

/**
 * Reads the adapter that a config names, if any, and completes the config from it.
 *
 * @param open returns an adapter and its files; throws a UserError if it is missing or damaged
 * @throws UserError for an adapter of another method or task, and for config keys that contradict it
 */
export async function readStart(
  userConfig: ParsedConfig,
  open: (name: string) => Promise<{ stored: StoredAdapter; files: Files }>,
): Promise<{ config: ParsedConfig; start?: StartingAdapter }> {
  const { adapter } = userConfig;
  if (adapter === undefined) return { config: userConfig };
  const { stored, files } = await open(adapter);
  const notes = await readNotes(files);
  const config = continuedConfig(userConfig, stored);
  if (notes && notes.task !== config.task) {
    const got = config.task;
    throw new UserError({ key: 'task', expected: `${notes.task}, the task of the adapter`, got });
  }
  fittingBase(notes, config.base_dtype, `adapter: ${adapter}`);
  return { config, start: { stored, notes } };
}

/**
 * Completes the config of a run that continues an adapter: keys missing in the method's section get the adapter's
 * values. A completed config stays unchanged.
 *
 * @throws UserError for an adapter of another method, and for keys that contradict the adapter (all are named)
 */
export function continuedConfig<Config extends ParsedConfig>(config: Config, adapter: StoredAdapter): Config {
  const where = `adapter: ${config.adapter}`;
  const { definition, settings } = methodOf(config);
  const kind = kindOf(adapter, where);
  if (definition.kind !== kind || !definition.continues) {
    const methods = METHOD_NAMES.filter((name) => {
      const other = methodNamed(name);
      return other.kind === kind && other.continues;
    });
    throw new UserError({
      where,
      fault: `is an adapter of method ${kind.name}, not ${config.method}`,
      hint:
        methods.length > 0
          ? `Set method: ${methods[0]}.`
          : `Training cannot continue from such an adapter.${kind.unmergeable === undefined ? ' Merge it (adalora export --as merged) and set model to the result.' : ''}`,
    });
  }
  return { ...config, [config.method]: definition.continues.section(settings, adapter, where) };
}

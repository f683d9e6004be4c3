import { existsSync } from 'node:fs';
import { Document } from 'yaml';
import { type AskedRun, inFiles, namedRows } from '../../studies/jobs/rows-in-memory.ts';
import { isObject } from '../../support/options.ts';
import { InvalidConfig, shown } from '../../support/user-error.ts';
import { assertShallow, parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import { applySetting, readConfig } from './load-config.ts';
import { importProgram, isProgram, programFailure, withOwnMethods } from './own-methods.ts';

/**
 * Reads a run's config from a YAML file, or from the default export of a JavaScript or TypeScript file, and applies
 * `--set` settings. A JavaScript or TypeScript file is a program, and this function runs it, as it runs a file that `method`
 * names.
 *
 * @throws UserError as {@link withOwnMethods} and `parseRunConfig` do, and for a program that fails or exports no config
 */
export async function runConfigAt(path: string, settings: readonly string[]): Promise<AskedRun> {
  if (!isProgram(path) || !existsSync(path)) {
    const { value, where } = await withOwnMethods(readConfig(path, settings));
    return inFiles(parseRunConfig(value, where));
  }
  const { config: named, ...own } = await exportedBy(path);
  assertShallow(named, path);
  const document = new Document(named);
  for (const setting of settings) applySetting(document, setting);
  return { ...own, config: parseRunConfig(document.toJS(), path, Object.keys(own.metrics)) };
}

async function exportedBy(path: string): ReturnType<typeof namedRows> {
  try {
    const exported: unknown = await (await importProgram(path)).default;
    // Properties may be functions of the program, which may fail too.
    if (isObject(exported)) return await namedRows(exported as unknown as RunConfigInput);
    throw new InvalidConfig({
      where: path,
      fault: `must have a config as its default export, got ${shown(exported)}`,
      hint: 'export default defineConfig({ … })',
    });
  } catch (error) {
    throw programFailure(path, error);
  }
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Document } from 'yaml';
import { type AskedRun, inFiles, namedRows } from '../../studies/jobs/rows-in-memory.ts';
import { isObject } from '../../support/options.ts';
import { InvalidConfig, shown, UserError } from '../../support/user-error.ts';
import { assertShallow, parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import { applySetting } from './apply-setting.ts';
import { loadConfig } from './load-config.ts';

/**
 * Reads a run's config from a YAML file, or from the default export of a JavaScript or TypeScript file, and applies
 * `--set` settings. A JavaScript or TypeScript file is a program, and this function runs it.
 *
 * @throws UserError as {@link loadConfig} does, and for a program that fails or exports no config
 */
export async function runConfigAt(path: string, settings: readonly string[]): Promise<AskedRun> {
  if (!/\.[cm]?[jt]s$/i.test(path) || !existsSync(path)) {
    return inFiles(loadConfig(path, settings));
  }
  const { config: named, ...own } = await exportedBy(path);
  assertShallow(named, path);
  const document = new Document(named);
  for (const setting of settings) applySetting(document, setting);
  return { ...own, config: parseRunConfig(document.toJS(), path, Object.keys(own.metrics)) };
}

async function exportedBy(path: string): ReturnType<typeof namedRows> {
  try {
    const exported: unknown = await (await import(pathToFileURL(resolve(path)).href)).default;
    // Properties may be functions of the program, which may fail too.
    if (isObject(exported)) return await namedRows(exported as unknown as RunConfigInput);
    throw new InvalidConfig({
      where: path,
      fault: `must have a config as its default export, got ${shown(exported)}`,
      hint: 'export default defineConfig({ … })',
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message, name } = Object(error) as NodeJS.ErrnoException;
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      const hint = 'Use Node 22.18 or later, or write it in JavaScript: adalora.config.mjs';
      throw new InvalidConfig({
        where: path,
        fault: `is TypeScript, which Node ${process.versions.node} cannot run`,
        hint,
      });
    }
    throw new InvalidConfig({
      where: path,
      fault: `failed with ${name === undefined ? shown(error) : `${name}: ${message}`}`,
    });
  }
}

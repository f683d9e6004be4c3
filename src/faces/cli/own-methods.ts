import { existsSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { methods } from '../../methods/tuners/method-definition.ts';
import { isObject } from '../../support/options.ts';
import { InvalidConfig, type KeyPath, shown, UserError } from '../../support/user-error.ts';
import { packaged } from './config-path.ts';
import type { ConfigFile } from './load-config.ts';

const IS_PROGRAM = /\.[cm]?[jt]s$/i;

/** Whether a path is that of a JavaScript or TypeScript file. */
export function isProgram(path: string): boolean {
  return IS_PROGRAM.test(path);
}

/**
 * Imports the files that a config names as methods, and replaces each path by the name of the method that the file
 * defines. A comparison may name one in each row. Paths are relative to the current folder, as those of data.
 *
 * @throws UserError for a file that is missing, fails, or does not define exactly one method
 */
export async function withOwnMethods(file: ConfigFile): Promise<ConfigFile> {
  const replaced = async (value: unknown, path: KeyPath): Promise<unknown> => {
    if (path.at(-1) === 'method' && typeof value === 'string' && isProgram(value))
      return definedIn(value, file.where(path));
    if (!isObject(value)) return value;
    const entries: [string, unknown][] = [];
    for (const [key, inner] of Object.entries(value))
      entries.push([key, await replaced(inner, [...path, key])]);
    return Object.fromEntries(entries);
  };
  return { ...file, value: (await replaced(file.value, [])) as ConfigFile['value'] };
}

async function definedIn(name: string, where: string): Promise<string> {
  const path = existsSync(name) ? name : packaged(name);
  if (path === undefined)
    throw new InvalidConfig({ where, key: 'method', fault: `names ${name}, which does not exist` });
  await importProgram(path);
  const names = methods.namesOf(pathToFileURL(realpathSync(path)).href);
  if (names.length === 1) return names[0]!;
  throw new InvalidConfig({
    where,
    key: 'method',
    fault: `names ${name}, which defines ${names.length === 0 ? 'no method' : names.join(' and ')}`,
    hint: 'The file must call defineMethod(name, definition, import.meta) once.',
  });
}

/**
 * Imports a JavaScript or TypeScript file.
 *
 * @throws UserError if it fails, or if this version of Node cannot run it
 */
export async function importProgram(path: string): Promise<{ default?: unknown }> {
  try {
    return await import(pathToFileURL(realpathSync(path)).href);
  } catch (error) {
    throw programFailure(path, error);
  }
}

/** The user's error for a program that failed. */
export function programFailure(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const { code, message, name } = Object(error) as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return new InvalidConfig({
      where: path,
      fault: `is TypeScript, which Node ${process.versions.node} cannot run`,
      hint: 'Use Node 22.18 or later, or write it in JavaScript (.mjs).',
    });
  return new InvalidConfig({
    where: path,
    fault: `failed with ${name === undefined ? shown(error) : `${name}: ${message}`}`,
  });
}

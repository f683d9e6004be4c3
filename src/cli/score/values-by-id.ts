import { typeName } from '../../data/json-lines.ts';
import type { TextFile } from '../../data/text-file.ts';
import { UserError } from '../../support/user-error.ts';

const STRINGS = /"(?:[^"\\]|\\.)*"/g;

/**
 * A JSON object of strings or of numbers, as official scripts read one: in the order of the file (that of a JavaScript
 * object puts ids that are numbers first), of a key that stands there twice the last value.
 *
 * @throws UserError for anything else
 */
export function valuesById(file: TextFile, type: 'string'): Map<string, string>;
export function valuesById(file: TextFile, type: 'number'): Map<string, number>;
export function valuesById(file: TextFile, type: 'string' | 'number'): Map<string, unknown> {
  const where = file.name;
  const expected = `a JSON object with a ${type} for each id`;
  const text = file.read();
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch (error) {
    throw new UserError({ where, expected, got: `invalid JSON (${(error as Error).message})` });
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new UserError({ where, expected, got: typeName(object) });
  for (const [id, value] of Object.entries(object)) {
    if (typeof value !== type)
      throw new UserError({ where: `${where}, ${id}`, expected: `a ${type}`, got: typeName(value) });
  }
  const strings = Array.from(text.matchAll(STRINGS), ([string]) => string);
  // Where values are strings, every other one is a key.
  const keys = type === 'string' ? strings.filter((_, i) => i % 2 === 0) : strings;
  const values = object as Record<string, unknown>;
  return new Map(keys.map((key) => JSON.parse(key) as string).map((id) => [id, values[id]]));
}

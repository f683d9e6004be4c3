import { checkWholeJson } from '../../data/check-whole-json.ts';
import { endOfString, typeName } from '../../data/json-lines.ts';
import type { TextFile } from '../../data/text-file.ts';
import { UserError } from '../../support/user-error.ts';

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
  checkWholeJson(text, where);
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
  const texts = [...textsOf(text)];
  // Where values are strings, every other one is a key.
  const ids = type === 'string' ? texts.filter((_, i) => i % 2 === 0) : texts;
  const values = object as Record<string, unknown>;
  return new Map(ids.map((id) => [id, values[id]]));
}

/** Every string of JSON, in order. */
function* textsOf(json: string): Iterable<string> {
  for (let at = json.indexOf('"'); at >= 0; ) {
    const end = endOfString(json, at) + 1;
    yield JSON.parse(json.slice(at, end));
    at = json.indexOf('"', end);
  }
}

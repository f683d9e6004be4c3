import { type JsonObject, typeName } from '../input/data/json-lines.ts';
import { isObject } from '../support/options.ts';
import { suggest } from '../support/text.ts';
import { shown, UserError } from '../support/user-error.ts';

/**
 * Checks that a client sends a single text.
 *
 * @throws UserError for a pair, because the model was not trained on pairs
 */
export function assertOneText(pair: string | undefined): void {
  if (pair === undefined) return;
  throw new UserError({
    where: 'inputs',
    fault: 'must be one text each, got a pair',
    hint: 'A list of single texts is [["first"], ["second"]].',
    code: 'invalid_argument',
  });
}

/** The required content of an input's key. */
interface InputKey {
  is: 'a string' | 'a list of strings' | 'nothing';
  /** Whether the key may be missing. */
  optional?: boolean;
  /** The reason, which a message gives after "because". */
  why?: string;
}

/** The keys of a task's inputs. */
export interface InputShape {
  keys: Readonly<Record<string, InputKey>>;
  /** Names of further keys, which only rows of files have. */
  others: readonly string[];
}

/**
 * Checks an input, which may come from a user's program.
 *
 * @param number the number of the input, from 1, for messages
 * @throws UserError for an invalid input, and for unknown keys
 */
export function assertInput(input: unknown, { keys, others }: InputShape, number: number): void {
  const fail = (fault: string, hint?: string): never => {
    throw new UserError({ where: `Input ${number}`, fault, hint, code: 'invalid_argument' });
  };
  const names = Object.keys(keys).filter((name) => keys[name]!.is !== 'nothing' && !keys[name]!.optional);
  if (!isObject(input)) fail(`must be an object { ${names.join(', ')} }, got ${shown(input)}`);
  const object = input as JsonObject;
  const stray = Object.keys(object).find((name) => !Object.hasOwn(keys, name) && !others.includes(name));
  if (stray !== undefined) fail(`has the unknown key "${stray}"`, suggest(stray, Object.keys(keys)));
  for (const [name, { is, optional, why }] of Object.entries(keys)) {
    const value = object[name];
    if (isKind(is, value) || (optional && value === undefined)) continue;
    const reason = why === undefined ? '' : `, because ${why}`;
    fail(
      is === 'nothing'
        ? `must have no "${name}"${reason}`
        : `needs ${is} in "${name}", got ${typeName(value)}${reason}`,
    );
  }
}

function isKind(is: InputKey['is'], value: unknown): boolean {
  if (is === 'nothing') return value === undefined;
  if (is === 'a string') return typeof value === 'string';
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

import { z } from 'zod';
import { hashOf } from '../support/hash-of.ts';
import { shown } from '../support/problem.ts';
import { UserError } from '../support/user-error.ts';

/** Stands for a function of the calling program in a config. It has a digest of the source, so a changed function is another setting. */
export type OwnFunctionName = `function:${string}`;

/** Sources of the calling program's functions, by the names that stand for them. No source is ever read from a file. */
export type OwnFunctions = Readonly<Record<string, string>>;

/** From numbers to a number. It computes from its arguments alone: it is moved to the training thread by its source. */
type NumberFunction = (...given: never[]) => number;

const NAME = /^function:[0-9a-f]{16}$/;

/** A setting that is one of some words or, in a program, a function. */
export function wordOrFunction<F extends NumberFunction, const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodType<Words[number] | OwnFunctionName, Words[number] | OwnFunctionName | F> {
  const schema = z.union([
    z.enum(words),
    z.string().regex(NAME, { error: 'expected a function', abort: true }),
  ]);
  return schema as unknown as z.ZodType<Words[number] | OwnFunctionName, Words[number] | OwnFunctionName | F>;
}

export function isOwnFunction(value: unknown): value is OwnFunctionName {
  return typeof value === 'string' && NAME.test(value);
}

export function nameOfFunction(source: string): OwnFunctionName {
  return `function:${hashOf(Int32Array.from(source, (letter) => letter.codePointAt(0) as number))}`;
}

/**
 * A method's settings with the functions that they name.
 *
 * @param section the settings' name in a config, for messages
 * @throws UserError for a name without a function: the run was begun by a program
 */
export function withOwnFunctions<Settings extends object>(
  settings: Settings,
  functions: OwnFunctions,
  section: string,
): Settings {
  const named = Object.entries(settings).filter(([, value]) => isOwnFunction(value));
  const found = named.map(([key, name]) => {
    const where = `${section}.${key}`;
    if (!Object.hasOwn(functions, name)) {
      throw new UserError({
        where,
        expected: 'the function that the run was begun with',
        got: 'no function',
        hint: 'Resume the run with train() in the program that began it.',
      });
    }
    return [key, compiled(functions[name], where)];
  });
  return { ...settings, ...Object.fromEntries(found) };
}

/** @throws UserError (when called) for a function that fails, or gives no number */
function compiled(source: string, where: string): NumberFunction {
  // Compilers that keep names call __name for functions inside of this one.
  const inner: NumberFunction = new Function(`"use strict"; const __name = (f) => f; return (${source});`)();
  return (...given) => {
    let result: unknown;
    try {
      result = inner(...given);
    } catch (error) {
      const expected = 'a function that uses nothing but its argument';
      throw new UserError({ where, expected, got: `the error "${(error as Error).message}"` });
    }
    if (typeof result === 'number' && !Number.isNaN(result)) return result;
    throw new UserError({ where, expected: 'a function that returns a number', got: shown(result) });
  };
}

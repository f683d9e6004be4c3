import { z } from 'zod';
import { hashOf } from '../support/hash-of.ts';
import { shown } from '../support/problem.ts';
import { UserError } from '../support/user-error.ts';

/**
 * Represents a function of the calling program in a config. It contains a digest of the source, so a changed function
 * is another setting.
 */
export type OwnFunctionName = `function:${string}`;

/** Sources of the calling program's functions, by the names that represent them. They never come from a file. */
export type OwnFunctions = Readonly<Record<string, string>>;

/**
 * A function from numbers to a number. It may use only its arguments, because its source is sent to the training
 * thread.
 */
type NumberFunction = (...given: never[]) => number;

const NAME = /^function:[0-9a-f]{16}$/;

/** The schema of a setting that must be a function of the program. */
export function functionOnly<F extends (...given: never[]) => unknown>(): z.ZodType<
  OwnFunctionName,
  OwnFunctionName | F
> {
  const schema = z.string().regex(NAME, { error: 'expected a function' });
  return schema as unknown as z.ZodType<OwnFunctionName, OwnFunctionName | F>;
}

/** The schema of a setting that is one of some words or, in a program, a function. */
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
 * Replaces the names of functions in a method's settings by the functions.
 *
 * @param section the section's name in a config, for messages
 * @throws UserError for a name without a function: only the program that started the run has it
 */
export function withOwnFunctions<Settings extends object>(
  settings: Settings,
  functions: OwnFunctions,
  section: string,
): Settings {
  const named = Object.entries(settings).filter(([, value]) => isOwnFunction(value));
  const found = named.map(([key, name]) => {
    const where = `${section}.${key}`;
    return [key, numbersOnly(ownFunction(functions, name, where), where)];
  });
  return { ...settings, ...Object.fromEntries(found) };
}

/**
 * The function behind a name.
 *
 * @param where its key in a config, for messages
 * @throws UserError for a name without a function, and (when called) if the function throws
 */
export function ownFunction(
  functions: OwnFunctions,
  name: OwnFunctionName,
  where: string,
): (...given: never[]) => unknown {
  if (Object.hasOwn(functions, name)) return compiled(functions[name]!, where);
  throw new UserError({
    where,
    fault: 'was a function when the run began and is missing now',
    hint: 'Resume the run with train() in the program that began it.',
  });
}

function compiled(source: string, where: string): (...given: never[]) => unknown {
  // Compilers that keep names insert calls of __name into the source.
  const inner = new Function(`"use strict"; const __name = (f) => f; return (${source});`)();
  return (...given) => {
    try {
      return inner(...given);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError({
        where,
        fault: `threw "${(error as Error).message}"`,
        hint: 'It may use only its arguments.',
      });
    }
  };
}

/** @throws UserError (when called) if the function does not return a number */
function numbersOnly(inner: (...given: never[]) => unknown, where: string): NumberFunction {
  return (...given) => {
    const result = inner(...given);
    if (typeof result === 'number' && !Number.isNaN(result)) return result;
    throw new UserError({ where, fault: `must return a number, got ${shown(result)}` });
  };
}

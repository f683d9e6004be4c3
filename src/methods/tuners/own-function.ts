import { z } from 'zod';
import type { PlainType } from '../../engine/graph/plain-graph.ts';
import { computeHash } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Represents a function of the calling program in a config. It contains a digest of the source, so a changed function
 * is another setting.
 */
export type OwnFunctionName = `function:${string}`;

/** The inputs of a custom score, for many trained scalars at once. */
export interface Importances {
  sensitivity: Float32Array;
  uncertainty: Float32Array;
  value: Float32Array;
}

export type ScoreAll = (importances: Importances) => Float64Array;

/** Calls a function of the user's program. The arguments and the result are plain data. */
export type OwnCall = { name: OwnFunctionName; where: string } & (
  | { what: 'score'; importances: Importances }
  | { what: 'schedule'; step: number }
  | { what: 'loss'; logits: PlainType; labels: PlainType }
);

/** The user's functions, wherever they are. They never come from a file. */
export interface OwnFunctions {
  readonly names: readonly string[];
  /** @throws UserError for a function that throws, and for a result of another type */
  call(call: OwnCall): unknown;
}

const NAME = /^function:[0-9a-f]{16}$/;

/** The schema of a setting that must be a function of the program. */
export function functionOnly<F extends (...given: never[]) => unknown>(): z.ZodType<
  OwnFunctionName,
  OwnFunctionName | F
> {
  const schema = z.string().regex(NAME, { error: 'expected a function' });
  return schema as unknown as z.ZodType<OwnFunctionName, OwnFunctionName | F>;
}

/** The schema of a setting that is one of some words or, in a program, a function from numbers to a number. */
export function wordOrFunction<
  F extends (...given: never[]) => number,
  const Words extends readonly [string, ...string[]],
>(words: Words): z.ZodType<Words[number] | OwnFunctionName, Words[number] | OwnFunctionName | F> {
  const schema = z.union([
    z.enum(words),
    z.string().regex(NAME, { error: 'expected a function', abort: true }),
  ]);
  return schema as unknown as z.ZodType<Words[number] | OwnFunctionName, Words[number] | OwnFunctionName | F>;
}

export function isOwnFunction(value: unknown): value is OwnFunctionName {
  return typeof value === 'string' && NAME.test(value);
}

/** The name of a function. The sources of bound and built-in functions are all the same, so their names count too. */
export function nameOfFunction(own: (...given: never[]) => unknown): OwnFunctionName {
  const source = String(own);
  const told = source.includes('[native code]') ? `${source} ${own.name}` : source;
  return `function:${computeHash(Int32Array.from(told, (letter) => letter.codePointAt(0) as number))}`;
}

/**
 * Replaces the names of functions in a method's settings by functions that call the user's.
 *
 * @param section the section's name in a config, for messages
 * @throws UserError for a name without a function: only the program that started the run has it
 */
export function withOwnFunctions<Settings extends object>(
  settings: Settings,
  functions: OwnFunctions,
  section: string,
): Settings {
  const found = Object.entries(settings).flatMap(([key, name]) => {
    if (!isOwnFunction(name)) return [];
    const own = { name, where: `${section}.${key}` };
    assertKnown(functions, own);
    const called =
      key === 'score'
        ? {
            all: (importances: Importances) =>
              functions.call({ ...own, what: 'score', importances: copied(importances) }),
          }
        : (step: number) => functions.call({ ...own, what: 'schedule', step });
    return [[key, called] as const];
  });
  return { ...settings, ...Object.fromEntries(found) };
}

/** A message has the whole memory of an array, and these are parts of longer ones. */
function copied({ sensitivity, uncertainty, value }: Importances): Importances {
  return { sensitivity: sensitivity.slice(), uncertainty: uncertainty.slice(), value: value.slice() };
}

/** @throws UserError for a name without a function */
export function assertKnown({ names }: OwnFunctions, { name, where }: { name: string; where: string }): void {
  if (names.includes(name)) return;
  throw new UserError({
    where,
    fault: 'was a function when the run began and is missing now',
    hint: 'Resume the run with train() in the program that began it.',
  });
}

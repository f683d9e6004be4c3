import { suggest } from './text.ts';
import { type Complaint, shown, UserError } from './user-error.ts';

/** Whether an untrusted value is an object with keys: neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every value of nested objects, by its dotted key. A list is one value. */
export function leaves(value: unknown, key = ''): [key: string, value: unknown][] {
  if (!isObject(value)) return [[key, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, key === '' ? name : `${key}.${name}`),
  );
}

/** An object with other values, by the same keys. */
export function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  to: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value, key)]));
}

/** An object without the keys that have no value. */
export function defined<Values extends object>(values: Values): Partial<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<Values>;
}

/** Returns a function that computes a value on its first call, and keeps it. */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A type of an option: the noun phrase for messages, and the check. */
export interface OptionType {
  is: string;
  holds(value: unknown): boolean;
}

/** The type of every option of a function. */
export type OptionTypes<Options> = { readonly [Key in keyof Required<Options>]: OptionType };

const ofType = (is: string, type: string): OptionType => ({ is, holds: (value) => typeof value === type });

export const ANYTHING: OptionType = { is: 'anything', holds: () => true };
export const BOOLEAN = ofType('true or false', 'boolean');
export const TEXT = ofType('a string', 'string');
export const FUNCTION = ofType('a function', 'function');
export const NUMBER: OptionType = { is: 'a number', holds: (value) => Number.isFinite(value) };
export const COUNT: OptionType = {
  is: 'a whole number of at least 1',
  holds: (value) => Number.isInteger(value) && (value as number) >= 1,
};
export const OBJECT: OptionType = { is: 'an object', holds: isObject };
export const SIGNAL: OptionType = {
  is: 'an AbortSignal',
  // The class of another realm, such as a frame's, is another one.
  holds: (value) => isObject(value) && typeof (value as Partial<AbortSignal>).throwIfAborted === 'function',
};
export const acceptOne = (...names: readonly string[]): OptionType => ({
  is: names.join(' or '),
  holds: (value) => names.some((name) => name === value),
});

/**
 * Checks the options of a public function. A program in JavaScript has no types, and a misspelled option would have no
 * effect without a word.
 *
 * @param where the function's name for messages
 * @throws UserError with a line for each unknown option and for each value of another type
 */
export function assertOptions(
  where: string,
  options: unknown,
  types: Readonly<Record<string, OptionType>>,
): void {
  if (!isObject(options))
    throw new UserError({ where, fault: `needs an object with options, got ${shown(options)}` });
  const problems = Object.entries(options).flatMap(([key, value]): Complaint[] => {
    if (!Object.hasOwn(types, key))
      return [{ where, key, fault: 'is not a known option', hint: suggest(key, Object.keys(types)) }];
    const { is, holds } = types[key]!;
    return value === undefined || holds(value) ? [] : [{ where, key, expected: is, got: shown(value) }];
  });
  if (problems.length > 0)
    throw new UserError(
      problems.map((problem) => new UserError(problem).message).join('\n'),
      'invalid_argument',
    );
}

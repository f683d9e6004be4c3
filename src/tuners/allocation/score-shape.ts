import { wordOrFunction } from '../own-function.ts';

/**
 * An importance score: one of some names or, in a program, a `ScoreFunction`. That type is written out, because the compiler
 * loses the import of an alias in the declarations of the registry.
 */
export function scoreNamed<const Names extends readonly [string, ...string[]]>(names: Names) {
  return wordOrFunction<
    (importance: Readonly<{ sensitivity: number; uncertainty: number; value: number }>) => number,
    Names
  >(names);
}

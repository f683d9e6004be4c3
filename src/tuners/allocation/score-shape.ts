import { wordOrFunction } from '../own-function.ts';

/**
 * The schema of an importance score: one of some names or, in a program, a `ScoreFunction`. That type is written out,
 * because in the registry's declarations the compiler loses the import of an alias.
 */
export function scoreNamed<const Names extends readonly [string, ...string[]]>(names: Names) {
  return wordOrFunction<
    (importance: Readonly<{ sensitivity: number; uncertainty: number; value: number }>) => number,
    Names
  >(names);
}

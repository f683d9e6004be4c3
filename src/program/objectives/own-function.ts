import { z } from 'zod';
import type { PlainType } from '../../engine/graph/plain-graph.ts';
import { computeHash } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Represents a function of the calling program in a config. It contains a digest of the source, so a changed function
 * is another setting.
 */
export type OwnFunctionName = `function:${string}`;

/** Calls a loss function of the user's program. The arguments and the result are plain data. */
export interface LossCall {
  what: 'loss';
  name: OwnFunctionName;
  /** Its key in a config, for messages. */
  where: string;
  logits: PlainType;
  labels: PlainType;
}

/** The user's functions, wherever they are. They never come from a file. */
export interface OwnFunctions {
  readonly names: readonly string[];
  /** @throws UserError for a function that throws, and for a result of another type */
  call(call: LossCall): unknown;
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

/** The name of a function. The sources of bound and built-in functions are all the same, so their names count too. */
export function nameOfFunction(own: (...given: never[]) => unknown): OwnFunctionName {
  const source = String(own);
  const told = source.includes('[native code]') ? `${source} ${own.name}` : source;
  return `function:${computeHash(Int32Array.from(told, (letter) => letter.codePointAt(0) as number))}`;
}

/** @throws UserError for a name without a function: only the program that started the run has it */
export function assertKnown({ names }: OwnFunctions, { name, where }: { name: string; where: string }): void {
  if (names.includes(name)) return;
  throw new UserError({
    where,
    fault: 'was a function when the run began and is missing now',
    hint: 'Resume the run with train() in the program that began it.',
  });
}

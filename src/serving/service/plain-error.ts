import { PromptTooLong } from '../../generation/prompt-too-long.ts';
import { ComputationError } from '../../support/computation-error.ts';
import { UserError } from '../../support/user-error.ts';
import { Overloaded } from '../overloaded.ts';
import { NotThere } from './not-there.ts';
import { UnknownModel } from './unknown-model.ts';

/** An error as data: on its way between threads it would lose its class. */
export interface PlainError {
  name: string;
  message: string;
  stack?: string;
}

/** Those that tell a client something; what is a kind of another comes before it. */
const CLASSES = { PromptTooLong, NotThere, UserError, UnknownModel, Overloaded, ComputationError };

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const known = Object.entries(CLASSES).find(([, Class]) => error instanceof Class);
  return { name: known?.[0] ?? error.name, message: error.message, stack: error.stack };
}

/** The error again, of its class where that is one of those that a service throws. */
export function revivedError({ name, message, stack }: PlainError): Error {
  const error = Object.assign(new Error(message), { name, stack });
  if (Object.hasOwn(CLASSES, name))
    Object.setPrototypeOf(error, CLASSES[name as keyof typeof CLASSES].prototype);
  return error;
}

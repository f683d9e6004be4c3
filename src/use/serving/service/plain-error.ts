import { PictureTooLarge } from '../../../input/pictures/pixels.ts';
import { PromptTooLong } from '../../../program/generation/search.ts';
import { ComputationError, UserError } from '../../../support/user-error.ts';
import { BadPicture, NotThere, Overloaded, UnknownModel } from './service-errors.ts';

/** An error as plain data. Between threads, an error would lose its class. */
export interface PlainError {
  name: string;
  message: string;
  stack?: string;
}

/** Errors reported to clients, subclasses before their base. */
const CLASSES = {
  PromptTooLong,
  NotThere,
  BadPicture,
  PictureTooLarge,
  UserError,
  UnknownModel,
  Overloaded,
  ComputationError,
};

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const known = Object.entries(CLASSES).find(([, Class]) => error instanceof Class);
  return { name: known?.[0] ?? error.name, message: error.message, stack: error.stack };
}

/** Restores an error. It has its class if it is an error that a service throws. */
export function revivedError({ name, message, stack }: PlainError): Error {
  const error = Object.assign(new Error(message), { name, stack });
  if (Object.hasOwn(CLASSES, name))
    Object.setPrototypeOf(error, CLASSES[name as keyof typeof CLASSES].prototype);
  return error;
}

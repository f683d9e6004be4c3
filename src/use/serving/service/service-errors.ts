import { FileTooLarge } from '../../../input/media/medium.ts';
import { PromptTooLong } from '../../../program/generation/search.ts';
import { suggest } from '../../../support/text.ts';
import { ComputationError, type ErrorClasses, UserError } from '../../../support/user-error.ts';

/** Thrown if no model has this name. */
export class UnknownModel extends Error {
  override name = 'UnknownModel';

  /** @param where the request's key with the name */
  constructor(model: string, known: Iterable<string>, where = 'model') {
    super(`${where}: ${JSON.stringify(model.slice(0, 200))} is not served. ${suggest(model, known)}`);
  }
}

/** Thrown if the requested object does not exist. */
export class NotThere extends UserError {
  override name = 'NotThere';
}

/** Thrown for a file in a request that cannot be read. */
export class BadFile extends UserError {
  override name = 'BadFile';
}

/** Thrown if too many requests are waiting. The client should try again later. */
export class Overloaded extends Error {
  override name = 'Overloaded';

  constructor(waiting: number) {
    super(`The server is overloaded: ${waiting} requests are waiting. Try again later.`);
  }
}

/** Errors that keep their class between threads, subclasses before their base. */
export const SERVICE_ERRORS: ErrorClasses = {
  PromptTooLong,
  NotThere,
  BadFile,
  FileTooLarge,
  UserError,
  UnknownModel,
  Overloaded,
  ComputationError,
};

import { suggest } from '../../support/nearest.ts';

/** Thrown if no model has this name. */
export class UnknownModel extends Error {
  override name = 'UnknownModel';

  /** @param where the request's key with the name */
  constructor(model: string, known: Iterable<string>, where = 'model') {
    super(`${where}: ${JSON.stringify(model.slice(0, 200))} is not served. ${suggest(model, known)}`);
  }
}

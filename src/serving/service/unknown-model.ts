import { suggest } from '../../support/nearest.ts';

/** No model has this name. */
export class UnknownModel extends Error {
  override name = 'UnknownModel';

  /**
   * @param where the key that names it
   */
  constructor(model: string, known: Iterable<string>, where = 'model') {
    super(`${where}: ${JSON.stringify(model.slice(0, 200))} is not served. ${suggest(model, known)}`);
  }
}

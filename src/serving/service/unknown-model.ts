import { suggest } from '../../support/nearest.ts';

/** No model has this name. */
export class UnknownModel extends Error {
  override name = 'UnknownModel';

  /**
   * @param where the key that names it
   */
  constructor(model: string, known: Iterable<string>, where = 'model') {
    super(
      `${where}: expected one that is served, got ${JSON.stringify(model.slice(0, 200))}. ${suggest(model, known)}`,
    );
  }
}

import { UserError } from '../../support/user-error.ts';

/** An adapter that cannot share batches with others. It can be used in a session of its own. */
export class NotMixed extends UserError {
  override name = 'NotMixed';

  /**
   * @param where the adapter, or the module of the network
   * @param reason completes the sentence about it
   */
  constructor(where: string, reason: string) {
    super({ where, fault: `${reason}, so it cannot share batches with other adapters` });
  }
}

/** A module or norm that is computed once for all examples. */
export function sharedByAll(path: string): NotMixed {
  return new NotMixed(path, 'is computed once for all texts of a batch');
}

import { UserError } from '../../support/user-error.ts';

/** A conversation that a chat template does not take; others it may. */
export class BadConversation extends UserError {}

import { UserError } from '../../support/user-error.ts';

/** The chat template rejects this conversation; it may accept others. */
export class BadConversation extends UserError {}

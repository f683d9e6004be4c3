import { UserError } from '../../../support/user-error.ts';

/** Thrown if the chat template rejects a conversation. It may accept other conversations. */
export class BadConversation extends UserError {}

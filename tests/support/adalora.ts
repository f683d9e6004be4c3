export { UserError } from '../../src/support/user-error.ts';

/** Defines nothing, because a method that one test defines would exist in others. */
export function defineMethod(): void {}

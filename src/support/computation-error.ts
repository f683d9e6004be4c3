/**
 * The engine returned an impossible value or failed, for a reason that no config or file states. The command line
 * prints the message without a stack trace and exits with code 1.
 */
export class ComputationError extends Error {
  override name = 'ComputationError';
}

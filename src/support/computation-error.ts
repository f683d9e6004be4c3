/**
 * The engine gave what cannot be, or could not do what was asked: nothing that a config or a file says plainly. The command line
 * prints its message without a stack trace and exits with code 1.
 */
export class ComputationError extends Error {
  override name = 'ComputationError';
}

/**
 * Thrown if the engine fails or returns an impossible value although the config and files are valid. The command line
 * prints the message without a stack trace and exits with code 1.
 */
export class ComputationError extends Error {
  override name = 'ComputationError';
}

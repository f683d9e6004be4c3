/** What a {@link UserError} says: the place, what should stand there, what does, and the remedy. */
export interface Complaint {
  /** File (with line where known), config key, tensor name: whatever lets a person find the spot. */
  where: string;
  expected: string;
  got: string;
  /** What to change, as an instruction. */
  hint?: string;
}

/**
 * A mistake the user can mend. The command line prints its message without a stack trace and exits with code 2;
 * every other exception is a fault of this program.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(complaint: Complaint | string) {
    super(typeof complaint === 'string' ? complaint : describe(complaint));
  }
}

/** What a file has may be a line of megabytes. */
const MOST_SHOWN = 1000;

function describe({ where, expected, got, hint }: Complaint): string {
  const shown = got.length > MOST_SHOWN ? `${got.slice(0, MOST_SHOWN)}…` : got;
  return `${where}: expected ${expected}, got ${shown}.${hint ? ` ${hint}` : ''}`;
}

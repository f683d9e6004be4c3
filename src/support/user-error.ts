/** The parts of a {@link UserError}: where, what was expected, what was found, and the remedy. */
export interface Complaint {
  /** File (with line if known), config key or tensor name: anything that locates the mistake. */
  where: string;
  expected: string;
  got: string;
  /** What to change, as an instruction. */
  hint?: string;
}

/**
 * A mistake the user can fix. The command line prints its message without a stack trace and exits with code 2. Every
 * other exception is a bug in this program.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(complaint: Complaint | string) {
    super(typeof complaint === 'string' ? complaint : describe(complaint));
  }
}

/** Characters of a value that are shown: a file's value may be a line of megabytes. */
const MOST_SHOWN = 1000;

function describe({ where, expected, got, hint }: Complaint): string {
  const shown = got.length > MOST_SHOWN ? `${got.slice(0, MOST_SHOWN)}…` : got;
  return `${where}: expected ${expected}, got ${shown}.${hint ? ` ${hint}` : ''}`;
}

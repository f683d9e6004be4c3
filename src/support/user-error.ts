/** A message: the place, what is wrong there, and the remedy. */
export type Complaint = Place & Fault & { /** What to change, as an instruction. */ hint?: string };

/** At least one of the two. */
interface Place {
  /** A file (with its line where known), a tensor, a model: whatever helps to find the spot. */
  where?: string;
  /** The config key or flag with the wrong value, the subject of the sentence. */
  key?: string;
}

/** `expected` and `got` are noun phrases; with a `key`, `expected` follows "must be", `fault` is the predicate. */
export type Fault = { expected: string; got: string } | { fault: string };

/**
 * A mistake that the user can fix. The command line prints its message without a stack trace and exits with code 2.
 * Every other exception is a bug in this program.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(complaint: Complaint | string) {
    super(typeof complaint === 'string' ? complaint : describe(complaint));
  }
}

/** The value in a file may be a line of megabytes. */
const MOST_SHOWN = 1000;

function describe({ where, key, hint, ...fault }: Complaint): string {
  const place = where === undefined ? '' : key === undefined && 'fault' in fault ? `${where} ` : `${where}: `;
  const subject = key === undefined ? '' : `\`${key}\` `;
  return `${place}${subject}${predicate(fault, key !== undefined)}.${hint ? ` ${hint}` : ''}`;
}

function predicate(fault: Fault, hasSubject: boolean): string {
  if ('fault' in fault) return fault.fault;
  const { expected, got } = fault;
  const shown = got.length > MOST_SHOWN ? `${got.slice(0, MOST_SHOWN)}…` : got;
  return `${hasSubject ? 'must be' : 'expected'} ${expected}, got ${shown}`;
}

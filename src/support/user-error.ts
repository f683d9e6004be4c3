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

/** A value in a file may be a line of megabytes. */
const MAX_VALUE = 1000;
/** A fault may list names, and quote a value. */
const MAX_FAULT = 4000;

function describe({ where, key, hint, ...fault }: Complaint): string {
  const place = where === undefined ? '' : key === undefined && 'fault' in fault ? `${where} ` : `${where}: `;
  const subject = key === undefined ? '' : `\`${key}\` `;
  return `${place}${subject}${predicate(fault, key !== undefined)}.${hint ? ` ${hint}` : ''}`;
}

function predicate(fault: Fault, hasSubject: boolean): string {
  if ('fault' in fault) return cut(fault.fault, MAX_FAULT);
  const { expected, got } = fault;
  return `${hasSubject ? 'must be' : 'expected'} ${expected}, got ${cut(got, MAX_VALUE)}`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

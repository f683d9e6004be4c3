/** The parts of a message: the place, what is wrong there, and the remedy. */
export type Complaint = Fault & {
  /** The place of the problem: a file (with its line if known), a tensor, or a model. */
  where?: string;
  /** The remedy, as an instruction. */
  hint?: string;
  code?: UserErrorCode;
};

/** The kinds of errors, for programs. `invalid` is any other. */
export type UserErrorCode = 'invalid_config' | 'invalid_data' | 'invalid_argument' | 'not_found' | 'invalid';

/** The problem: the predicate of a sentence about the key. Without a key, it is about `where`. */
export type Fault =
  | Mismatch
  | { /** The config key or flag with the wrong value. */ key?: string; fault: string };

/** Two noun phrases for "`key` must be `expected`, got `got`". */
export interface Mismatch {
  key: string;
  expected: string;
  got: string;
}

/**
 * An error that the user can fix. The command line prints its message without a stack trace and exits with code 2.
 * Other exceptions are bugs, failures of the
 * machine, or errors of the user's callbacks.
 */
export class UserError extends Error {
  override name = 'UserError';
  readonly code: UserErrorCode;

  /** @param code the kind of an error with a complete message */
  constructor(complaint: Complaint | string, code: UserErrorCode = 'invalid') {
    super(typeof complaint === 'string' ? complaint : describe(complaint));
    this.code = typeof complaint === 'string' ? code : (complaint.code ?? code);
  }
}

/** Longer values are truncated in messages: a line of a file may have megabytes. */
const MAX_VALUE = 1000;
/** Longer faults are truncated: a fault may list names and quote a value. */
const MAX_FAULT = 4000;

function describe(complaint: Complaint): string {
  const { where, key, hint } = complaint;
  const subject = key === undefined ? where : `${where === undefined ? '' : `${where}: `}\`${key}\``;
  return `${subject === undefined ? '' : `${subject} `}${predicate(complaint)}.${hint ? ` ${hint}` : ''}`;
}

function predicate(fault: Fault): string {
  if ('fault' in fault) return cut(fault.fault, MAX_FAULT);
  return `must be ${fault.expected}, got ${cut(fault.got, MAX_VALUE)}`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

import { PROGRAM } from './program.ts';

/** Runs independent functions. Throws one UserError with all their errors. */
export function attemptAll<Done extends readonly unknown[] | []>(
  works: { [At in keyof Done]: () => Done[At] },
): Done {
  const mistakes = new Mistakes();
  let isFine = true;
  const done: unknown[] = [];
  for (const work of works) {
    try {
      done.push(work());
    } catch (error) {
      mistakes.note(error);
      isFine = false;
    }
  }
  if (isFine) return done as unknown as Done;
  throw mistakes.asError();
}

/**
 * Thrown if the engine fails or returns an impossible value although the config and files are valid. The command line
 * prints the message without a stack trace and exits with code 1.
 */
export class ComputationError extends Error {
  override name = 'ComputationError';

  /** @param code for programs: the engine's memory is not enough */
  constructor(
    message: string,
    readonly code?: 'out_of_memory',
  ) {
    super(message);
  }
}

/** The parts of a message: the place, what is wrong there, and the remedy. */
export type Complaint = Fault & {
  /** The place of the problem: a file (with its line if known), a tensor, or a model. */
  where?: string;
  /** The remedy, as an instruction. */
  hint?: string;
  /** Default: `invalid_argument` for a flag, `invalid_config` for another key without a place, otherwise `invalid`. */
  code?: UserErrorCode;
};

/** The kinds of errors, for programs. docs/typescript.md has the same table. */
export const USER_ERROR_CODES = {
  invalid_config: 'a key of the config, or keys that do not fit each other, the model or the data',
  invalid_argument: 'an option or an input of a function or command',
  invalid_data: 'rows that cannot be read or are not enough',
  unknown_column: 'a column that the data does not have',
  unknown_label: 'a label that the training data or the model does not have',
  invalid_file: 'a damaged or unexpected file of a model, adapter or run',
  not_found: 'a file, a folder, or a name on the Hub that does not exist',
  unsupported: 'a model, adapter or device that cannot be used this way',
  in_use: 'a folder that another process is writing to',
  already_exists: 'an output that already has files',
  network: 'a server that cannot be reached, or the Hub while downloads are off',
  access_denied: 'a missing, wrong or insufficient access token',
  file_system: 'missing permissions, a full disk, or a file in place of a folder',
  invalid: 'anything else',
} as const;

export type UserErrorCode = keyof typeof USER_ERROR_CODES;

/** The problem: the predicate of a sentence about the key. Without a key, it is about `where`. */
type Fault = Mismatch | { /** The config key or flag with the wrong value. */ key?: string; fault: string };

/** Two noun phrases for "`key` must be `expected`, got `got`". */
interface Mismatch {
  key: string;
  expected: string;
  got: string;
}

/**
 * An error that the user can fix. The command line prints its message without a stack trace and exits with code 2.
 * Other exceptions are bugs, failures of the machine, or errors of the user's callbacks.
 */
export class UserError extends Error {
  override name = 'UserError';
  readonly code: UserErrorCode;

  /** @param code the kind of an error with a complete message */
  constructor(complaint: Complaint | string, code?: UserErrorCode) {
    super(typeof complaint === 'string' ? complaint : describe(complaint));
    this.code =
      code ?? (typeof complaint === 'string' ? 'invalid' : (complaint.code ?? usualCode(complaint)));
  }
}

/** A key of a config, or keys that do not fit each other, the model or the data. */
export class InvalidConfig extends UserError {
  constructor(complaint: Complaint | string) {
    super(complaint, 'invalid_config');
  }
}

/** An error in a file of a model, an adapter or a run. */
export class InvalidFile extends UserError {
  constructor(complaint: Complaint | string) {
    super(complaint, 'invalid_file');
  }
}

/** An error in rows. */
export class InvalidData extends UserError {
  constructor(complaint: Complaint | string) {
    super(complaint, 'invalid_data');
  }
}

function usualCode({ key, where }: Complaint): UserErrorCode {
  if ((key ?? where)?.startsWith('--')) return 'invalid_argument';
  return key !== undefined && where === undefined ? 'invalid_config' : 'invalid';
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

/**
 * Codes of errors that a user can fix: permissions, a full disk, a file where a folder should be. A missing file is
 * reported by the function that needs the file.
 */
const CODES = [
  ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'],
  ...['EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'EMFILE', 'ENFILE', 'EFBIG', 'ENXIO'],
];

/** Codes of errors that only a write can cause. */
const OF_WRITING = ['EROFS', 'ENOSPC', 'EDQUOT', 'EFBIG'];

/** Turns a system error of a file operation into a UserError. Returns undefined for any other error. */
export function fileError(error: unknown): UserError | undefined {
  const { code, path, dest, message } = Object(error) as {
    code?: string;
    path?: string;
    dest?: string;
    message: string;
  };
  if (code === 'ERR_INVALID_ARG_VALUE' && message.includes('null bytes'))
    return new UserError({
      where: 'file system',
      fault: 'cannot use a path with a null byte',
      code: 'invalid_argument',
    });
  if (code === undefined || !CODES.includes(code)) return undefined;
  if (code === 'EMFILE' || code === 'ENFILE') {
    const fault = `cannot open more files (${message.split(', ')[0]})`;
    const hint = 'Raise the limit (ulimit -n).';
    return new UserError({ where: `${PROGRAM}: the system`, fault, hint, code: 'file_system' });
  }
  return new UserError({
    // A copy reads from `path` and writes to `dest`.
    where: (OF_WRITING.includes(code) ? dest : undefined) ?? path ?? 'file system',
    fault:
      code === 'ENOTDIR'
        ? 'is not a possible path, because one of the folders in it is a file (ENOTDIR)'
        : `failed: ${message.split(', ')[0]}`,
    code: 'file_system',
  });
}

/** An error as plain data. Between threads or processes, an error would lose its class. */
export interface Failure {
  /** The name of its class among the known ones. */
  kind?: string | undefined;
  message: string;
  stack?: string | undefined;
  /** The code of a user's error. */
  code?: unknown;
}

/** Classes of errors by name, subclasses before their base. */
export type ErrorClasses = Readonly<Record<string, abstract new (...args: never[]) => Error>>;

const CLASSES: ErrorClasses = { UserError, ComputationError };

/** Returns an error as plain data. A system error that the user can fix becomes a user's error. */
export function describeFailure(thrown: unknown, classes = CLASSES): Failure {
  const error = fileError(thrown) ?? thrown;
  if (!(error instanceof Error)) return { message: String(error) };
  const kind = Object.keys(classes).find((name) => error instanceof classes[name]!);
  const { message, stack } = error;
  return {
    kind,
    message,
    stack,
    ...((error instanceof UserError || error instanceof ComputationError) && { code: error.code }),
  };
}

/** Restores an error, with its class, from its plain data. */
export function revived({ kind = '', message, stack, code }: Failure, classes = CLASSES): Error {
  const error = Object.assign(new Error(message), { stack });
  if (!Object.hasOwn(classes, kind)) return error;
  Object.setPrototypeOf(error, classes[kind]!.prototype);
  return Object.assign(error, { name: kind, ...(code !== undefined && { code }) });
}

/** Keys that lead from the root of a config to a value. */
export type KeyPath = readonly PropertyKey[];

/** A problem with the value at a path in the config. */
export type Problem = (Omit<Mismatch, 'key'> | { fault: string }) & { path: KeyPath; hint?: string };

/** A rule of a config's section: whether it is broken, the key (dotted) with its fault, and the remedy. */
type Rule = readonly [isBroken: boolean, key: string, fault: string, hint?: string];

/** The problems of the rules that are broken. */
export function brokenRules(section: string, rules: readonly Rule[]): Problem[] {
  return rules
    .filter(([isBroken]) => isBroken)
    .map(([, key, fault, hint]) => ({ path: [section, ...key.split('.')], fault, hint }));
}

/** A value of a config as messages show it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  // JSON has no symbols and no integers of any size.
  const isSpecial = typeof value === 'bigint' || typeof value === 'symbol';
  const text = (isSpecial ? undefined : JSON.stringify(value)) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

const MAX_SHOWN = 60;

/** The value at a path; undefined if the path does not exist. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** Collects the user's errors in independent steps, so that a user sees all of them at once. */
class Mistakes {
  readonly #messages = new Set<string>();
  readonly #codes = new Set<UserErrorCode>();

  /** Records an error, unless it has been recorded before. Rethrows any other exception. */
  note(error: unknown): void {
    const mistake = fileError(error) ?? error;
    if (!(mistake instanceof UserError)) throw error;
    const isKnown = [...this.#messages].some((message) => message.includes(mistake.message));
    if (isKnown) return;
    this.#messages.add(mistake.message);
    this.#codes.add(mistake.code);
  }

  /** Combines all recorded errors in one. */
  asError(): UserError {
    const [code, other] = this.#codes;
    return new UserError([...this.#messages].join('\n'), other === undefined ? code : 'invalid');
  }
}

import { ComputationError } from './computation-error.ts';
import { UserError, type UserErrorCode } from './user-error.ts';

/** An error as plain data. Between threads or processes, an error would lose its class. */
export interface Failure {
  message: string;
  stack?: string;
  kind: 'user' | 'computation' | 'fault';
  /** The code of a user's error. */
  code?: UserErrorCode;
}

export function failureOf(error: Error): Failure {
  const { message, stack } = error;
  if (error instanceof UserError) return { message, stack, kind: 'user', code: error.code };
  return { message, stack, kind: error instanceof ComputationError ? 'computation' : 'fault' };
}

/** Restores an error from its plain data. */
export function revived({ message, stack, kind, code }: Failure): Error {
  if (kind === 'user') return new UserError(message, code);
  return kind === 'computation'
    ? new ComputationError(message)
    : Object.assign(new Error(message), { stack });
}

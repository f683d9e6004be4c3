import { ComputationError } from './computation-error.ts';
import { UserError } from './user-error.ts';

/** An error on its way to another thread or process, where errors lose their class. */
export interface Failure {
  message: string;
  stack?: string;
  kind: 'user' | 'computation' | 'fault';
}

export function failureOf(error: Error): Failure {
  const { message, stack } = error;
  if (error instanceof UserError) return { message, stack, kind: 'user' };
  return { message, stack, kind: error instanceof ComputationError ? 'computation' : 'fault' };
}

/** The error that a failure was. */
export function revived({ message, stack, kind }: Failure): Error {
  if (kind === 'user') return new UserError(message);
  return kind === 'computation'
    ? new ComputationError(message)
    : Object.assign(new Error(message), { stack });
}

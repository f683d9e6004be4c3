import { UserError } from './user-error.ts';

/** Runs two independent functions. If both fail, the error contains both mistakes. */
export function both<A, B>(first: () => A, second: () => B): [A, B] {
  const results = [first, second].map((work) => {
    try {
      return { value: work() };
    } catch (error) {
      if (error instanceof UserError) return { message: error.message };
      throw error;
    }
  });
  const messages = results.flatMap(({ message }) => message ?? []);
  if (messages.length > 0) throw new UserError(messages.join('\n'));
  return results.map(({ value }) => value) as [A, B];
}

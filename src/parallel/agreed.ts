const agreed = new WeakSet<object>();

/** Notes that every process fails with this error, so that one of them may tell it and all end. */
export function markAgreed<E extends object>(error: E): E {
  agreed.add(error);
  return error;
}

export function isAgreed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && agreed.has(error);
}

const agreed = new WeakSet<object>();

/** Marks an error that every process throws. Then one process reports it, and all of them end. */
export function markAgreed<E extends object>(error: E): E {
  agreed.add(error);
  return error;
}

export function isAgreed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && agreed.has(error);
}

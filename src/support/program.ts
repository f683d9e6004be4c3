/** What the package, its command and its caches are called. */
export const PROGRAM = 'adalora';

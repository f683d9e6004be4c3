/** The name of the package, its command and its caches. */
export const PROGRAM = 'adalora';

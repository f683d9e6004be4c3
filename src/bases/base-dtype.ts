/** Storage of a frozen base's linear weights: unchanged, or in blocks of integers of 8 or 4 bits. */
export const BASE_DTYPES = ['float32', 'int8', 'int4'] as const;
export type BaseDtype = (typeof BASE_DTYPES)[number];
